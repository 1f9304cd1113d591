//! Roles, grants, tenants, reviews of access.

use iris_plain::{Field, Form};

use super::{NEXT, Object, always, answer, change, input, text};
use crate::admin::{NEW_REVIEW, NEW_TENANT, REVIEW_DECISION, TENANT_CHANGE};
use crate::auth::{NEW_GRANT, NEW_ROLE, TAKEN_GRANT};

const ROLE: &[Field] = &[
    always("id", "The role's id; its name for a role of the product."),
    always("name", "The name."),
    text("description", "What it is for."),
    text("based_on", "The role of the product whose rights it has too."),
    Field::always("permissions", Form::Texts, "Permissions."),
    Field::always(
        "families",
        Form::Texts,
        "Families of records on which they count; all that ask for one where empty.",
    ),
    Field::always("built_in", Form::Boolean, "Whether it is a role of the product, which nobody changes."),
];
const ROLE_LIST: &[Field] = &[
    Field::always("items", Form::ListOf("Role"), "The roles."),
    NEXT,
    Field::always("total", Form::Integer, "How many there are."),
];

const COLLEAGUE: &[Field] = &[
    always("id", "The account's id."),
    always("username", "The name to sign in with."),
    text("display_name", "How colleagues call the person."),
    text("practitioner_id", "The Practitioner who the person is."),
];
const COLLEAGUE_LIST: &[Field] =
    &[Field::always("items", Form::ListOf("Colleague"), "Colleagues; a page may have few and more behind it."), NEXT];

const PERMISSION: &[Field] = &[always("name", "The permission."), always("description", "What it opens.")];
const FAMILY: &[Field] = &[
    always("name", "The family."),
    Field::always("permissions", Form::Open, "By action, the permission that it asks for; no entry where nobody may."),
];
const CELL: Form = Form::Choice(&["yes", "own", "no"]);
const CELLS: &[Field] = &[
    always("role", "The role's name."),
    always("family", "The family."),
    Field::returned("read", CELL, "Whether it may see a record; own: its own."),
    Field::returned("vread", CELL, "See an older version."),
    Field::returned("history", CELL, "See the list of versions."),
    Field::returned("search", CELL, "Search and count."),
    Field::returned("create", CELL, "Make."),
    Field::returned("update", CELL, "Change."),
    Field::returned("delete", CELL, "Take out of sight."),
    Field::returned("export", CELL, "Take out in bulk."),
    Field::returned("verify", CELL, "Check the integrity."),
];
const MATRIX: &[Field] = &[
    Field::always("items", Form::ListOf("Permission"), "Every permission."),
    Field::always("families", Form::ListOf("Family"), "Every family of records."),
    Field::always("cells", Form::ListOf("PermissionCell"), "For each role and family, what it may do."),
];

const TENANT: &[Field] = &[
    Field::always("number", Form::Integer, "The tenant's number."),
    always("name", "What people call it."),
    Field::always("active", Form::Boolean, "Whether people can sign in there."),
];
const TENANT_MADE: &[Field] = &[
    Field::always("number", Form::Integer, "The tenant's number."),
    always("name", "What people call it."),
    Field::always("active", Form::Boolean, "Whether people can sign in there."),
    text("initial_password", "The administrator's password, if one was made; it is answered this once."),
    Field::always("admin", Form::Named("User"), "Its first administrator."),
];
const TENANT_LIST: &[Field] = &[
    Field::always("items", Form::ListOf("Tenant"), "The tenants, oldest first."),
    NEXT,
    Field::always("total", Form::Integer, "How many there are."),
];

const SCOPE: Form = Form::Choice(&["all", "role", "department"]);
const REVIEW: &[Field] = &[
    always("id", "The review's id."),
    Field::always("scope", SCOPE, "Which accounts it is about."),
    text("role", "The role, for that scope."),
    text("department", "Id of the Organization, for that scope."),
    Field::always("started_at", Form::Time, "When it began."),
    always("started_by", "Who began it."),
    Field::always("due", Form::Time, "When it should be done."),
    Field::always("overdue", Form::Boolean, "Whether it is open and should be done."),
    Field::always("total", Form::Integer, "How many accounts it is about."),
    Field::always("decided", Form::Integer, "About how many of them has been decided."),
    Field::returned("closed_at", Form::Time, "When the last one was decided."),
];
const REVIEW_LIST: &[Field] = &[
    Field::always("items", Form::ListOf("AccessReview"), "The reviews, oldest first."),
    NEXT,
    Field::always("total", Form::Integer, "How many there are."),
];
const REVIEW_ITEMS: &[Field] = &[
    always("id", "The review's id."),
    Field::always("scope", SCOPE, "Which accounts it is about."),
    text("role", "The role, for that scope."),
    text("department", "Id of the Organization, for that scope."),
    Field::always("started_at", Form::Time, "When it began."),
    always("started_by", "Who began it."),
    Field::always("due", Form::Time, "When it should be done."),
    Field::always("overdue", Form::Boolean, "Whether it is open and should be done."),
    Field::always("total", Form::Integer, "How many accounts it is about."),
    Field::always("decided", Form::Integer, "About how many of them has been decided."),
    Field::returned("closed_at", Form::Time, "When the last one was decided."),
    Field::always("items", Form::ListOf("AccessReviewItem"), "Its accounts."),
    NEXT,
];
const REVIEW_ITEM: &[Field] = &[
    always("user_id", "The account."),
    always("username", "Its name."),
    text("display_name", "How colleagues call the person."),
    Field::always("roles", Form::Texts, "Roles without limit of time, as they are now."),
    Field::always("grants", Form::ListOf("Grant"), "Grants, as they are now."),
    Field::returned("last_login", Form::Time, "The last sign-in."),
    Field::returned("created_at", Form::Time, "When the account was made."),
    Field::always("locked", Form::Boolean, "Whether nobody can sign in with the account."),
    Field::returned("verdict", Form::Choice(&["keep", "revoke"]), "What was decided, if anything was."),
    text("reason", "Why."),
    text("decided_by", "Who decided."),
    Field::returned("decided_at", Form::Time, "When."),
    text("held", "What the account held when it was decided."),
];

const REPORTED: &[Field] = &[
    always("id", "The account's id."),
    always("username", "Its name."),
    Field::always("roles", Form::Texts, "Roles without limit of time."),
    Field::returned("last_login", Form::Time, "The last sign-in."),
    always("why", "Why it stands here: far-reaching permissions, or what is amiss."),
    Field::always("locked", Form::Boolean, "Whether nobody can sign in with the account."),
];
const FAILED: &[Field] = &[
    text("user_id", "The account; absent for all names together that are none."),
    text("username", "Its name."),
    Field::always("count", Form::Integer, "Failed sign-ins."),
    Field::always("addresses", Form::Integer, "From how many addresses."),
    Field::always("last_at", Form::Time, "The last one."),
];
const REPORT: &[Field] = &[
    Field::always("generated_at", Form::Time, "When it was made."),
    Field::always("dormant_days", Form::Integer, "Days without a sign-in after which an account is dormant."),
    Field::always("privileged", Form::ListOf("ReportedUser"), "Accounts with far-reaching permissions."),
    Field::always("dormant", Form::ListOf("ReportedUser"), "Accounts that nobody has used for long."),
    Field::always("orphans", Form::ListOf("ReportedUser"), "Accounts that belong to nobody any more."),
    Field::returned("failed_sign_ins", Form::ListOf("FailedSignIns"), "Of seven days, most first; on the first page."),
    NEXT,
];

/// Every object of this theme.
pub(super) const SCHEMAS: &[Object] = &[
    answer("Role", ROLE),
    answer("RoleList", ROLE_LIST),
    input("NewRole", NEW_ROLE),
    input("NewGrant", NEW_GRANT),
    input("TakenGrant", TAKEN_GRANT),
    answer("Colleague", COLLEAGUE),
    answer("ColleagueList", COLLEAGUE_LIST),
    answer("Permission", PERMISSION),
    answer("Family", FAMILY),
    answer("PermissionCell", CELLS),
    answer("PermissionMatrix", MATRIX),
    answer("Tenant", TENANT),
    answer("TenantMade", TENANT_MADE),
    answer("TenantList", TENANT_LIST),
    input("NewTenant", NEW_TENANT),
    change("TenantChange", TENANT_CHANGE),
    answer("AccessReview", REVIEW),
    answer("AccessReviewList", REVIEW_LIST),
    answer("AccessReviewItems", REVIEW_ITEMS),
    answer("AccessReviewItem", REVIEW_ITEM),
    input("NewAccessReview", NEW_REVIEW),
    input("AccessReviewDecision", REVIEW_DECISION),
    answer("ReportedUser", REPORTED),
    answer("FailedSignIns", FAILED),
    answer("AccessReport", REPORT),
];
