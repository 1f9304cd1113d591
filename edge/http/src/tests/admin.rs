use iris_access::Role;
use serde_json::{Value, json};

use super::{PASSWORD, Reply, World};

const USERS: &str = "/api/v1/admin/users";

async fn made(world: &World, admin: &str, body: Value) -> Reply {
    world.post(USERS, admin, body).await
}

async fn patch(world: &World, admin: &str, id: &str, body: Value) -> Reply {
    world.call("PATCH", &format!("{USERS}/{id}"), admin, &[], Some(body)).await
}

async fn sign_in(world: &World, name: &str, password: &str) -> Reply {
    world.post("/api/v1/auth/login", "", json!({"username": name, "password": password})).await
}

#[tokio::test]
async fn an_account_is_made_with_a_password_or_gets_one_that_is_shown_once() {
    let world = World::new();
    let admin = world.admin().await;
    let reply = made(&world, &admin, json!({"username": "nora", "roles": ["nurse"]})).await.expect(201);
    let nora = reply.json();
    let id = nora["id"].as_str().unwrap();
    assert_eq!(reply.header("location"), format!("{USERS}/{id}"));
    let password = nora["initial_password"].as_str().unwrap();
    sign_in(&world, "nora", password).await.expect(200);
    let again = world.get(&format!("{USERS}/{id}"), &admin).await.expect(200).json();
    assert_eq!(
        (&again["username"], &again["roles"], &again["locked"]),
        (&json!("nora"), &json!(["nurse"]), &json!(false))
    );
    assert_eq!((&again["grants"], &again["factors"]), (&json!([]), &json!([])));
    assert!(again["last_login"].is_string() && again["created_at"].is_string());

    let body = json!({"username": "otto", "roles": ["auditor"], "password": PASSWORD});
    let otto = made(&world, &admin, body).await.expect(201).json();
    assert!(otto.get("initial_password").is_none());
    sign_in(&world, "otto", PASSWORD).await.expect(200);

    let first = world.get(&format!("{USERS}?limit=2"), &admin).await.expect(200).json();
    assert_eq!((first["items"].as_array().unwrap().len(), &first["total"]), (2, &json!(3)));
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = world.get(&format!("{USERS}?limit=2&cursor={cursor}"), &admin).await.expect(200).json();
    assert_eq!((second["items"].as_array().unwrap().len(), &second["next_cursor"]), (1, &Value::Null));
    for list in [&first, &second] {
        assert!(!list.to_string().contains("argon2") && !list.to_string().contains("password"), "{list}");
    }
    let log = world.get("/audit/logs?action=user.create&limit=1", &admin).await.expect(200).json();
    assert_eq!(log["items"][0]["user_name"], "root");
    assert!(!log.to_string().contains(password));
}

#[tokio::test]
async fn bad_accounts_are_refused_with_every_fault() {
    let world = World::new();
    let admin = world.admin().await;
    let patient = world.patient(&admin, "Jane", "Doe").await;
    let cases = [
        (json!({}), 422, 2),
        (json!([]), 422, 2),
        (json!({"username": "x", "roles": []}), 422, 1),
        (json!({"username": "x", "roles": ["boss"]}), 422, 1),
        (json!({"username": "x", "roles": "nurse"}), 422, 1),
        (json!({"username": "x", "roles": {"nurse": 1}}), 422, 1),
        (json!({"username": "x", "roles": ["nurse"], "password": "short"}), 422, 1),
        (json!({"username": "x", "roles": ["nurse"], "password": 12345678}), 422, 1),
        (json!({"username": "x", "roles": ["nurse"], "locked": true}), 422, 1),
        (json!({"username": "x", "roles": ["patient"]}), 422, 1),
        (json!({"username": "x", "roles": ["patient"], "patient_id": "nobody"}), 422, 1),
        (json!({"username": "x", "roles": ["nurse"], "patient_id": patient}), 422, 1),
        (json!({"username": "ROOT", "roles": ["nurse"]}), 409, 0),
    ];
    for (body, status, faults) in cases {
        let reply = made(&world, &admin, body.clone()).await.expect(status).json();
        assert_eq!(reply["errors"].as_array().map_or(0, Vec::len), faults, "{body}: {reply}");
    }
    let body = json!({"username": "jane", "roles": ["patient"], "patient_id": patient});
    assert_eq!(made(&world, &admin, body).await.expect(201).json()["patient_id"], json!(patient));
    for (query, status) in [("limit=0", 422), ("limit=101", 422), ("cursor=x", 400), ("role=nurse", 400)] {
        world.get(&format!("{USERS}?{query}"), &admin).await.expect(status);
    }
    for id in ["nobody", "00000000-0000-0000-0000-000000000009"] {
        world.get(&format!("{USERS}/{id}"), &admin).await.expect(404);
        patch(&world, &admin, id, json!({"roles": ["nurse"]})).await.expect(404);
        for what in ["lock", "unlock"] {
            world.call("POST", &format!("{USERS}/{id}/{what}"), &admin, &[], None).await.expect(404);
        }
    }
}

#[tokio::test]
async fn roles_change_and_accounts_are_locked_at_once() {
    let world = World::new();
    let admin = world.admin().await;
    let nora = made(&world, &admin, json!({"username": "nora", "roles": ["nurse"], "password": PASSWORD})).await;
    let id = nora.expect(201).json()["id"].as_str().unwrap().to_owned();
    let token = sign_in(&world, "nora", PASSWORD).await.expect(200).json()["access_token"].as_str().unwrap().to_owned();
    world.get("/api/v1/audit/logs", &token).await.expect(403);
    let changed = patch(&world, &admin, &id, json!({"roles": ["nurse", "auditor"]})).await.expect(200).json();
    assert_eq!(changed["roles"], json!(["nurse", "auditor"]));
    world.get("/api/v1/audit/logs", &token).await.expect(200);
    patch(&world, &admin, &id, json!({"roles": ["nurse"]})).await.expect(200);
    world.get("/api/v1/audit/logs", &token).await.expect(403);
    for body in
        [json!({}), json!({"roles": []}), json!({"roles": ["boss"]}), json!({"roles": ["nurse"], "username": "x"})]
    {
        patch(&world, &admin, &id, body).await.expect(422);
    }
    let lock = format!("{USERS}/{id}/lock");
    let locked = world.call("POST", &lock, &admin, &[], None).await.expect(200).json();
    assert_eq!(locked["locked"], true);
    world.get("/api/v1/auth/me", &token).await.expect(401);
    sign_in(&world, "nora", PASSWORD).await.expect(401);
    let open = world.call("POST", &format!("{USERS}/{id}/unlock"), &admin, &[], None).await.expect(200).json();
    assert_eq!(open["locked"], false);
    world.get("/api/v1/auth/me", &token).await.expect(401);
    sign_in(&world, "nora", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn nobody_raises_or_locks_themselves_and_the_last_administrator_stays() {
    let world = World::new();
    let admin = world.admin().await;
    let me = world.get("/api/v1/auth/me", &admin).await.expect(200).json();
    let id = me["id"].as_str().unwrap();
    let own = patch(&world, &admin, id, json!({"roles": ["admin", "physician"]})).await.expect(409).json();
    assert!(own["detail"].as_str().unwrap().contains("own account"), "{own}");
    world.call("POST", &format!("{USERS}/{id}/lock"), &admin, &[], None).await.expect(409);
    let second = world.user("second", Role::Admin, None).await;
    world.call("POST", &format!("{USERS}/{id}/lock"), &second, &[], None).await.expect(200);
    world.get(USERS, &admin).await.expect(401);
    let nurse = world.user("nora", Role::Nurse, None).await;
    for (method, path) in [("GET", USERS), ("GET", "/api/v1/keys"), ("GET", "/api/v1/admin/dashboard")] {
        world.call(method, path, &nurse, &[], None).await.expect(403);
        world.call(method, path, "", &[], None).await.expect(401);
    }
    let raise = patch(&world, &nurse, id, json!({"roles": ["admin"]})).await.expect(403).json();
    assert!(raise["detail"].as_str().unwrap().contains("system:admin"), "{raise}");
}

#[tokio::test]
async fn what_an_administrator_tries_in_vain_is_on_the_log() {
    let world = World::new();
    let admin = world.admin().await;
    let me = world.get("/api/v1/auth/me", &admin).await.expect(200).json();
    let own = me["id"].as_str().unwrap();
    let nobody = "00000000-0000-0000-0000-000000000009";
    patch(&world, &admin, own, json!({"roles": ["admin", "physician"]})).await.expect(409);
    patch(&world, &admin, nobody, json!({"roles": ["admin"]})).await.expect(404);
    world.call("POST", &format!("{USERS}/{own}/lock"), &admin, &[], None).await.expect(409);
    world.call("POST", &format!("{USERS}/{nobody}/unlock"), &admin, &[], None).await.expect(404);
    world.get(&format!("{USERS}/{nobody}"), &admin).await.expect(404);
    made(&world, &admin, json!({"username": "ROOT", "roles": ["admin"]})).await.expect(409);
    made(&world, &admin, json!({"username": "x", "roles": []})).await.expect(422);
    let failed = world.get("/api/v1/audit/logs?outcome=failure", &admin).await.expect(200).json();
    let told: Vec<(&str, &str)> = failed["items"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|entry| {
            assert_eq!(entry["user_name"], "root");
            (entry["action"].as_str().unwrap(), entry["resources"][0].as_str().unwrap_or_default())
        })
        .collect();
    let (own, nobody) = (format!("User/{own}"), format!("User/{nobody}"));
    assert_eq!(
        told,
        [
            ("user.update", own.as_str()),
            ("user.update", &nobody),
            ("user.disable", &own),
            ("user.unlock", &nobody),
            ("user.read", &nobody),
            ("user.create", ""),
            ("user.create", ""),
        ]
    );
    assert!(failed["items"][6]["detail"].as_str().unwrap().contains("own account"), "{failed}");
}

#[tokio::test]
async fn the_dashboard_tells_figures_that_are() {
    let world = World::new();
    let admin = world.admin().await;
    world.patient(&admin, "Jane", "Doe").await;
    world.app.audit.settle();
    let told = world.get("/api/v1/admin/dashboard", &admin).await.expect(200).json();
    assert_eq!(told["health"]["status"], "healthy", "{told}");
    assert_eq!(told["health"]["components"]["database"]["status"], "healthy");
    assert_eq!(told["index"]["phase"], "ready");
    assert_eq!(told["index"]["applied"], told["store"]["head"]);
    assert!(told["store"]["bytes"].as_u64().unwrap() > 10_000, "{told}");
    assert_eq!((&told["users"], &told["sessions"]), (&json!({"total": 1, "locked": 0}), &json!({"active": 1})));
    assert_eq!(told["audit"]["signing"], "working");
    assert_eq!(told["audit"]["checkpoint_size"], told["audit"]["size"]);
    assert!(told["audit"]["size"].as_u64().unwrap() >= 3 && told["audit"]["checkpoint_at"].is_string());
    assert!(!told.to_string().contains("Doe"));
}

#[tokio::test]
async fn keys_are_told_in_numbers_and_dates_and_never_shown() {
    let world = World::new();
    let admin = world.admin().await;
    let before = world.get("/api/v1/keys", &admin).await.expect(200).json();
    world.patient(&admin, "Jane", "Doe").await;
    let reply = world.get("/api/v1/keys", &admin).await.expect(200);
    let after = reply.json();
    let total = |told: &Value| told["data_keys"]["total"].as_u64().unwrap();
    assert!(total(&after) > total(&before), "a patient has a key of their own: {before} {after}");
    assert!(after["root"]["wraps"].as_u64().unwrap() >= 1);
    assert!(after["data_keys"]["of_tenant"].as_u64().unwrap() <= total(&after));
    let key = &after["signing_keys"][0];
    assert_eq!((&key["algorithm"], &key["active"]), (&json!("RS256"), &json!(true)));
    assert!(iris_kernel::Timestamp::parse(key["created_at"].as_str().unwrap()).is_ok());
    assert_eq!(after["audit_key"], json!(world.app.audit.public_key().to_string()));
    let names: Vec<&String> = after.as_object().unwrap().keys().collect();
    assert_eq!(names, ["audit_key", "data_keys", "root", "signing_keys"]);
    assert_eq!(key.as_object().unwrap().len(), 4, "nothing but name, algorithm, date and use");
}
