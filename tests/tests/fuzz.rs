//! Schemathesis sends the server requests that `docs/openapi.json` allows and others, as a user and
//! as an admin: every response conforms to the document.
//!
//! `FORETELL_TEST_FUZZ_EXAMPLES` is the number of generated requests for each operation.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "what serves tests fails like a test"
)]

use std::fs;
use std::iter;
use std::path::{Path, PathBuf};
use std::process::Command;

use foretell_tests::{
    Client, Database, PASSWORD, Server, new_id, number, on_each_database, python_programs, run,
    text,
};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

on_each_database!(
    responses_conform_to_document_for_users,
    responses_conform_to_document_for_admins
);

/// Number of generated requests for each operation, besides one for each boundary in the document.
const USUAL_EXAMPLES: usize = 2;

/// Checks of each response.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance";

async fn responses_conform_to_document_for_users(database: Database) {
    let server = start(database).await;
    let ada = server.register("ada").await;
    fuzz(&server, &ada).await;
    server.admin().await.check_audit().await;
}

async fn responses_conform_to_document_for_admins(database: Database) {
    let server = start(database).await;
    let admin = server.admin().await;
    fuzz(&server, &admin).await;
    admin.check_audit().await;
}

async fn start(database: Database) -> Server {
    // Signing in is one of the operations, and most of its requests are rejected.
    let unlimited = [
        ("FORETELL__AUTH__LOGIN_ATTEMPTS_PER_ACCOUNT", "100000"),
        ("FORETELL__AUTH__LOGIN_ATTEMPTS_PER_ADDRESS", "100000"),
    ];
    Server::start_with(database, &unlimited).await
}

/// Runs Schemathesis with the credentials of `who`.
async fn fuzz(server: &Server, who: &Client) {
    static PROGRAMS: OnceCell<PathBuf> = OnceCell::const_new();
    let programs =
        PROGRAMS.get_or_init(|| async { spawn_blocking(installed).await.unwrap() }).await;
    let folder = server.home().path();
    fs::write(folder.join("schemathesis.toml"), configuration(&Things::made(server, who).await))
        .unwrap();
    let mut schemathesis = Command::new(programs.join("schemathesis"));
    schemathesis.current_dir(folder).arg("run").arg(format!("{}/openapi.json", server.origin()));
    schemathesis.args(["--phases", "examples,coverage,fuzzing", "--checks", CHECKS]);
    schemathesis.args([
        "--max-examples",
        &number("FORETELL_TEST_FUZZ_EXAMPLES", USUAL_EXAMPLES).to_string(),
    ]);
    schemathesis.args([
        "--seed",
        "7",
        "--no-shrink",
        "--no-color",
        "--generation-database",
        "none",
    ]);
    // Both would end the session that the requests use.
    schemathesis.args(["--exclude-operation-id-regex", "^(logOut|changePassword)(V2)?$"]);
    schemathesis
        .args(["--header", &format!("Authorization: Bearer {}", who.token.as_ref().unwrap())]);
    let told = spawn_blocking(move || run(&mut schemathesis)).await.unwrap();
    println!("{told}");
}

fn installed() -> PathBuf {
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/requirements.txt");
    python_programs(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz"), &requirements)
}

/// Existing resources, so that requests find something: the ids for paths, by the segment after the
/// version, and those for fields of bodies.
struct Things {
    paths: Vec<(&'static str, String)>,
    fields: Vec<(&'static str, Vec<String>)>,
}

impl Things {
    /// Creates one resource of each kind, owned by `who`, except another user.
    async fn made(server: &Server, who: &Client) -> Self {
        let ben = server.register("ben").await;
        let market = who.open_market(&["Yes", "No"], "20.00").await;
        let bet = who.bet(&market, 0, "10.00").await.data(201);
        ben.bet(&market, 1, "10.00").await.expect(201);
        let payment = who.pay(&ben, "1.00").await.data(201);
        let post = json!({"title": "A post", "content": "Its content", "published": true, "tags": ["a tag"]});
        let post = who.post("/posts", post).await.data(201);
        let comment = json!({"content": "A comment"});
        let comment = who.post(&format!("/posts/{}/comments", id(&post)), comment).await.data(201);
        let key = who.create_api_key(&["read"]).await;
        let paths = [
            ("accounts", who.account_id.clone()),
            ("api-keys", id(&key)),
            ("bets", id(&bet)),
            ("comments", id(&comment)),
            ("markets", id(&market)),
            ("posts", id(&post)),
            ("transfers", id(&payment)),
            ("users", ben.user_id.clone()),
        ];
        let options = [id(&market["options"][0]), id(&market["options"][1])].to_vec();
        let accounts = vec![who.account_id.clone(), ben.account_id.clone()];
        let fields = [
            ("optionId", options),
            ("accountId", accounts.clone()),
            ("fromAccountId", accounts.clone()),
            ("toAccountId", accounts),
            ("password", vec![PASSWORD.to_owned()]),
        ];
        Self { paths: paths.into(), fields: fields.into() }
    }
}

fn id(thing: &Value) -> String {
    text(&thing["id"])
}

/// Returns the configuration of Schemathesis: most ids exist, some do not.
fn configuration(things: &Things) -> String {
    let paths = things.paths.iter().map(|(path, id)| {
        format!(
            "[dictionaries.{path}]\nvalues = [\"{id}\", \"{}\"]\n\
             [[operations]]\ninclude-path-regex = \"^/api/v[12]/{path}/\"\n\
             parameters = {{ \"path.id\" = {{ dictionary = \"{path}\", probability = 0.8 }} }}\n",
            new_id()
        )
    });
    let fields = things.fields.iter().map(|(field, ids)| {
        format!(
            "[dictionaries.{field}]\nvalues = {ids:?}\n\
             [parameters.\"body.{field}\"]\ndictionary = \"{field}\"\nprobability = 0.8\n"
        )
    });
    // A stream has no end of its own.
    let whole = iter::once("max-stream-events = 1\n".to_owned());
    whole.chain(paths).chain(fields).collect::<Vec<_>>().concat()
}
