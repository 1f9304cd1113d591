//! Machines: registration and the OAuth2 client credentials grant (RFC 6749 §4.4).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use iris_audit::{Action, Actor, Outcome};
use iris_crypto::digest::sha256;
use iris_fhir::definitions::definitions;
use iris_kernel::{Fault, Secret, Tenant};
use uuid::Uuid;

use crate::identity::Identity;
use crate::kinds;
use crate::lists::List;
use crate::records::{self, ClientRecord};
use crate::refresh_token::same;
use crate::token::{ACCESS_SECONDS, Claims};
use crate::username;
use crate::views::{ClientView, Enabled, NewClient, Page, Profile, Tokens};
use iris_access::trail::{Happened, TRIES_MAX, Try, commit, on_accounts};
use iris_access::{
    AccessError, ActionKind, Caller, Create, Origin, Permission, Permit, Rule, Scopes, Search, SubjectKind, Target,
    Update,
};

/// Bytes of a client secret.
const SECRET_BYTES: usize = 32;

impl Identity {
    /// Gives a client a token with the scopes it asks for, or with all that it has.
    ///
    /// # Errors
    /// [`AccessError::Client`]; [`AccessError::Scope`] names each scope that is unknown or not granted.
    pub async fn client_token(
        &self,
        client_id: &str,
        secret: &Secret<String>,
        scope: Option<&str>,
        origin: &Origin,
    ) -> Result<Tokens, AccessError> {
        let (tenant, id) = client_id_parse(client_id).unwrap_or((Tenant::PLATFORM, Uuid::nil()));
        let attempt = self.attempt(tenant, &id.to_string(), origin);
        self.wait(&attempt)?;
        let client = self.client(tenant, id)?;
        // The secret is hashed and compared whether or not there is a client.
        let expected = client.as_ref().map_or("", |client| client.value.secret.as_str());
        let fits = same(&secret_hash(secret), expected);
        let open = self.tenant_admits(tenant, self.clock.now().0)?;
        let client = match client {
            Some(client) if fits && open && client.value.enabled => client.value,
            known => {
                self.throttle.failed(&attempt, self.clock.now());
                let resource = known.map(|client| format!("Client/{}", client.value.id));
                let what = Happened::new(Action::TokenRefused, Outcome::Denied, resource);
                let tenant = self.log_tenant(tenant)?;
                let event = self.event(tenant, Actor::unknown(client_id), what, origin);
                self.audit.record(event).await?;
                return Err(AccessError::Client);
            }
        };
        self.throttle.succeeded(&attempt);
        let scopes = match granted(&client, scope) {
            Ok(scopes) => scopes,
            Err(error) => {
                let actor = Actor::new(client.id.into_bytes(), &*client.name);
                let what = Happened::new(Action::TokenRefused, Outcome::Denied, Some(format!("Client/{}", client.id)))
                    .because("a scope is not known or not granted");
                self.audit.record(self.event(tenant, actor, what, origin)).await?;
                return Err(error);
            }
        };
        let claims = Claims { scope: Some(scopes.to_string()), ..self.claims(tenant, client.id, SubjectKind::Client) };
        let access = Secret::new(self.keys()?.sign(&claims)?);
        let actor = Actor::new(client.id.into_bytes(), &*client.name);
        let text = scopes.to_string();
        let what = Happened::new(Action::TokenIssue, Outcome::Success, Some(format!("Client/{}", client.id)));
        self.audit.record(self.event(tenant, actor, what.because(&text), origin)).await?;
        let profile = Profile {
            id: client.id,
            name: client.name,
            kind: SubjectKind::Client.name(),
            tenant: tenant.0,
            roles: Vec::new(),
            permissions: Vec::new(),
            scope: Some(text.clone()),
            patient_id: None,
            ..Profile::default()
        };
        Ok(Tokens {
            access,
            expires_in: ACCESS_SECONDS,
            refresh: None,
            scope: Some(text),
            session: None,
            device: None,
            must: None,
            offers_passkey: false,
            profile,
        })
    }

    /// Registers a client with these scopes in the permit's tenant. The secret is shown this once. Its scopes reach nothing that the
    /// caller does not hold for good: who has its secret acts with them.
    ///
    /// # Errors
    /// [`AccessError::Invalid`] with every fault: each scope that is not known, by its text; [`AccessError::Denied`] for scopes beyond
    /// what the caller holds.
    pub async fn client_create(
        &self,
        permit: &Permit<Create>,
        name: &str,
        scope: &str,
    ) -> Result<NewClient, AccessError> {
        let caller = on_accounts(permit)?;
        let result = self.client_made(caller, permit.tenant(), (name, scope)).await;
        self.tried(caller, (Action::ClientCreate, None), result).await
    }

    async fn client_made(
        &self,
        caller: &Caller,
        tenant: Tenant,
        (name, scope): (&str, &str),
    ) -> Result<NewClient, AccessError> {
        let mut faults: Vec<Fault> = username::check(name, "name").err().into_iter().collect();
        let scopes = match Scopes::parse(scope) {
            Ok(scopes) => scopes,
            Err(unknown) => {
                faults.extend(unknown);
                Scopes::default()
            }
        };
        if !faults.is_empty() {
            return Err(AccessError::Invalid(faults));
        }
        let reached = reached(&scopes);
        let mut bytes = [0; SECRET_BYTES];
        self.entropy.fill(&mut bytes);
        let bytes = Secret::new(bytes);
        let secret = Secret::new(format!("ics1_{}", URL_SAFE_NO_PAD.encode(bytes.expose())));
        let client = ClientRecord {
            id: self.entropy.uuid(),
            name: name.to_owned(),
            secret: secret_hash(&secret),
            scope: scopes.to_string(),
            enabled: true,
        };
        let resource = Some(format!("Client/{}", client.id));
        for _ in 0..TRIES_MAX {
            let giver = self.giver(caller, None)?;
            giver.may_give(&reached)?;
            let stamp = self.stamp(caller.subject.id);
            let mut tx = self.store.begin(tenant);
            giver.require(&mut tx);
            records::add(&mut tx, stamp, kinds::CLIENT, &client.id.to_string(), &client)?;
            self.list_append(&mut tx, stamp, tenant, List::Clients, client.id)?;
            let what = Happened::new(Action::ClientCreate, Outcome::Success, resource.clone());
            tx.audit(self.audit.row(&self.event_by(caller, what.because(&client.scope)))?);
            if let Try::Done = commit(tx).await? {
                let client_id = client_id(tenant, client.id);
                return Ok(NewClient { client: client.view(client_id), secret });
            }
        }
        Err(AccessError::Conflict)
    }

    /// Lists the clients of the permit's tenant, oldest first.
    ///
    /// # Errors
    /// The store cannot be read, or the entry about it not written.
    pub async fn client_list(
        &self,
        permit: &Permit<Search>,
        after: Option<u32>,
        limit: usize,
    ) -> Result<Page<ClientView>, AccessError> {
        let caller = on_accounts(permit)?;
        let tenant = permit.tenant();
        let page = self.list_page::<ClientRecord>(tenant, List::Clients, after, limit)?;
        let what = Happened::new(Action::UserRead, Outcome::Success, None).because("clients were listed");
        self.audit.record(self.event_by(caller, what)).await?;
        let view = |client: ClientRecord| {
            let client_id = client_id(tenant, client.id);
            client.view(client_id)
        };
        Ok(Page { items: page.items.into_iter().map(view).collect(), next: page.next, total: page.total })
    }

    /// Lets a client have tokens, or not; the ones it has stop working at once. Who lets one in again must hold what it reaches.
    ///
    /// # Errors
    /// [`AccessError::NotFound`]; [`AccessError::Denied`] for scopes beyond what the caller holds.
    pub async fn client_enable(
        &self,
        permit: &Permit<Update>,
        client_id: &str,
        enabled: Enabled,
    ) -> Result<ClientView, AccessError> {
        let caller = on_accounts(permit)?;
        let action = if enabled == Enabled::Yes { Action::ClientUpdate } else { Action::ClientRevoke };
        let result = self.client_switched(caller, permit.tenant(), (client_id, enabled)).await;
        self.tried(caller, (action, None), result).await
    }

    async fn client_switched(
        &self,
        caller: &Caller,
        tenant: Tenant,
        (client_id, enabled): (&str, Enabled),
    ) -> Result<ClientView, AccessError> {
        let id = client_id_parse(client_id).filter(|(named, _)| *named == tenant);
        let (_, id) = id.ok_or(AccessError::NotFound("client"))?;
        for _ in 0..TRIES_MAX {
            let before = self.client(tenant, id)?.ok_or(AccessError::NotFound("client"))?;
            let next = ClientRecord { enabled: enabled == Enabled::Yes, ..before.value.clone() };
            let giver = self.giver(caller, None)?;
            if next.enabled {
                giver.may_give(&reached(&granted(&next, None)?))?;
            }
            let stamp = self.stamp(caller.subject.id);
            let mut tx = self.store.begin(tenant);
            giver.require(&mut tx);
            records::change(&mut tx, stamp, (kinds::CLIENT, &id.to_string()), &before, &next)?;
            let action = if next.enabled { Action::ClientUpdate } else { Action::ClientRevoke };
            let what = Happened::new(action, Outcome::Success, Some(format!("Client/{id}")));
            tx.audit(self.audit.row(&self.event_by(caller, what))?);
            if let Try::Done = commit(tx).await? {
                self.lower(tenant, kinds::CLIENT, id);
                return Ok(next.view(client_id.to_owned()));
            }
        }
        Err(AccessError::Conflict)
    }
}

/// What a client with these scopes may do, as rules. What a machine reaches it has whole: neither labels nor masks hold it back, so the
/// permissions that open those go with it.
fn reached(scopes: &Scopes) -> Vec<Rule> {
    const WHOLE: [Permission; 3] =
        [Permission::HealthcareIdentifiers, Permission::HealthcareRestricted, Permission::HealthcareVeryRestricted];
    let mut rules = Vec::new();
    for target in definitions().kinds().map(Target::Kind) {
        let family = target.family();
        let admitted = ActionKind::ALL.into_iter().filter(|action| scopes.admit(*action, target));
        for permission in admitted.filter_map(|action| family.permission(action)) {
            let [identifiers, restricted, very] = WHOLE;
            let rule = Rule::new(&[permission, identifiers, restricted, very], &[family]);
            if !rules.contains(&rule) {
                rules.push(rule);
            }
        }
    }
    rules
}

/// The scopes of a token: what was asked for, if all of it was given to the client.
fn granted(client: &ClientRecord, asked: Option<&str>) -> Result<Scopes, AccessError> {
    let have =
        Scopes::parse(&client.scope).map_err(|_| AccessError::Damaged("a client's scopes do not read".into()))?;
    let Some(asked) = asked.filter(|asked| !asked.trim().is_empty()) else { return Ok(have) };
    let scopes = Scopes::parse(asked).map_err(AccessError::Scope)?;
    if have.cover(&scopes) {
        return Ok(scopes);
    }
    let beyond = asked.split_ascii_whitespace().filter(|one| !Scopes::parse(one).is_ok_and(|one| have.cover(&one)));
    Err(AccessError::Scope(
        beyond.map(|one| Fault::new("scope", format!("{one} is not granted to this client"))).collect(),
    ))
}

/// `<tenant>-<uuid>`: a client presents nothing but its id, so the id says where to look.
fn client_id(tenant: Tenant, id: Uuid) -> String {
    format!("{}-{id}", tenant.0)
}

fn client_id_parse(text: &str) -> Option<(Tenant, Uuid)> {
    let (tenant, id) = text.split_once('-')?;
    let (tenant, id) = (Tenant(tenant.parse().ok()?), Uuid::try_parse(id).ok()?);
    (client_id(tenant, id) == text).then_some((tenant, id))
}

fn secret_hash(secret: &Secret<String>) -> String {
    URL_SAFE_NO_PAD.encode(sha256(&[b"iris/client-secret\0", secret.expose().as_bytes()]))
}
