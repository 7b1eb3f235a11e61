//! The newcomer's first minute: the demo in an empty folder, every line that it prints and every
//! line of the README pasted into another terminal, Ctrl-C, and all of it once more.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::support::{BINARY, Place, Process, Server, get, patch, until};

#[tokio::test]
async fn every_printed_line_works_twice_and_nothing_is_left_running() {
    let place = Place::empty();
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);

    let demo = place.start(&["demo", "--port", "0"]);
    let walk = printed_walk(&demo).await;
    let demo = Server::ready(demo).await;
    assert!(walk.contains(&demo.url()), "{walk}");
    walk_through(&place, &demo, &walk).await;
    walk_through(&place, &demo, &readme_walk(&demo.url())).await;
    let data = place.path().join(".tarsify");
    assert_ne!(processes_about(&data), Vec::<String>::new());
    demo.stop("INT").await.assert_code(0);
    assert_eq!(processes_about(&data), Vec::<String>::new());

    let demo = place.start(&["demo", "--port", "0"]);
    let walk = printed_walk(&demo).await;
    let demo = Server::ready(demo).await;
    walk_through(&place, &demo, &walk).await;
    let kept = demo.send(get("/api/marketplace/models?search=watercolours"));
    let kept = kept.await.assert_ok(200);
    assert_eq!(kept.body["meta"]["total"], 1, "what the first run made");
    demo.stop("INT").await.assert_code(0);
    assert_eq!(processes_about(&data), Vec::<String>::new());
}

#[tokio::test]
async fn ctrl_c_while_it_starts_leaves_nothing_running_either() {
    let place = Place::empty();
    let data = place.path().join(".tarsify");
    let demo = place.start(&["demo", "--port", "0"]);
    let begun = async || !processes_about(&data).is_empty();
    until("PostgreSQL is being set up", begun).await;
    demo.signal("INT");
    demo.ended().await;
    let over = async || processes_about(&data).is_empty();
    until("PostgreSQL has gone", over).await;

    // What was begun does not stand in the way.
    let demo = Server::ready(place.start(&["demo", "--port", "0"])).await;
    demo.stop("INT").await.assert_code(0);
    assert_eq!(processes_about(&data), Vec::<String>::new());
}

/// What an administrator did to the catalogue is kept, even where examples cannot follow.
#[tokio::test]
async fn the_demo_starts_again_after_its_catalogue_was_changed() {
    let place = Place::empty();
    let demo = Server::ready(place.start(&["demo", "--port", "0"])).await;
    let admin = place.token("admin", "admin@example.com").await;
    let list = demo.send(get("/api/admin/base-models?category=IMAGE").by(&admin));
    let list = list.await.assert_ok(200);
    let model = list.data().as_array().unwrap().iter();
    let model = model
        .clone()
        .find(|model| model["slug"] == "image-generator");
    let path = format!(
        "/api/admin/base-models/{}",
        model.unwrap()["id"].as_str().unwrap()
    );
    let schema = json!({ "type": "object", "properties": {}, "additionalProperties": false });
    let change = patch(path)
        .by(&admin)
        .json(json!({ "inputSchema": schema }));
    demo.send(change).await.assert_ok(200);
    demo.stop("INT").await.assert_code(0);

    let demo = Server::ready(place.start(&["demo", "--port", "0"])).await;
    assert!(demo.shown("anime-generator").await.is_some());
    demo.stop("INT").await.assert_code(0);
}

#[tokio::test]
async fn the_demo_writes_into_no_database_of_somebody_else() {
    let place = Place::empty().with("DATABASE_URL", "postgresql://me@127.0.0.1:1/mine");
    let said = place.run(&["demo", "--port", "0"]).await;
    said.assert_code(1).assert_one_line(&["unset DATABASE_URL"]);
}

#[tokio::test]
async fn the_demo_refuses_production() {
    let place = Place::in_bare_production()
        .with("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
        .with("FIREBASE_USERS_PROJECT_ID", "shop")
        .with("FIREBASE_DEVS_PROJECT_ID", "studio");
    let said = place.run(&["demo", "--port", "0"]).await;
    said.assert_code(1).assert_one_line(&["production"]);
}

/// What the demo prints, from its first command to its last.
async fn printed_walk(demo: &Process) -> String {
    let whole = |text: &str| {
        let begin = text.find("\nexport ")?;
        // The last line is written together with all the others.
        text.ends_with('\n').then(|| text[begin..].to_owned())
    };
    let walk = demo.wait_for_out(whole).await;
    for person in ["CONSUMER", "DEVELOPER", "ADMIN"] {
        let token = walk.lines().find(|line| line.contains(person)).unwrap();
        assert_eq!(token.matches('.').count(), 2, "{token}");
    }
    walk
}

/// The README's walk, for a server at that address.
fn readme_walk(url: &str) -> String {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let (_, chapter) = readme.split_once("\n## A walk\n").unwrap();
    let (_, code) = chapter.split_once("```sh\n").unwrap();
    let (code, _) = code.split_once("\n```").unwrap();
    for named in ["target/debug/tarsify", "http://127.0.0.1:8080"] {
        assert!(code.contains(named), "{named} is gone from the README");
    }
    code.replace("target/debug/tarsify", &format!("'{BINARY}'"))
        .replace("http://127.0.0.1:8080", url)
}

/// Pastes the lines into a shell. Every answer must be a success.
async fn walk_through(place: &Place, demo: &Server, walk: &str) {
    let answers = watch_curl(place);
    let path = place.path().join("watched");
    let path = format!("{}:{}", path.display(), search_path(place).await);
    let mut shell = place.command("bash");
    shell.args(["-e", "-c", walk]).env("PATH", path);
    let said = Process::start(&mut shell).ended().await.assert_code(0);
    let answers = fs::read_to_string(answers).unwrap();
    let commands = walk.lines().filter(|line| !line.starts_with('#'));
    let calls: usize = commands.map(|line| line.matches("curl ").count()).sum();
    assert!(calls >= 8, "{walk}");
    assert_eq!(answers.lines().count(), calls, "{answers}");
    for answer in answers.lines() {
        // The page with the test card is for people.
        let is_stream = answer.contains("event: connected") && answer.contains("event: end");
        let is_page = answer.contains("It is paid");
        let is_good = answer.contains(r#""success":true"#) || is_page || is_stream;
        let complaints = demo.process.complaints();
        assert!(is_good, "{answer}\n{complaints}\n{said:#?}");
    }
}

/// Puts a `curl` before the real one that keeps every answer in a file, a line each.
fn watch_curl(place: &Place) -> PathBuf {
    let folder = place.path().join("watched");
    let answers = folder.join("answers");
    fs::create_dir_all(&folder).unwrap();
    let script = format!(
        "#!/bin/sh\nPATH=${{PATH#*:}}\nanswer=$(curl \"$@\") || exit\n\
         printf '%s\\n' \"$answer\" | tr '\\n' ' ' >> '{0}'; echo >> '{0}'\n\
         printf '%s\\n' \"$answer\"\n",
        answers.display()
    );
    fs::write(folder.join("curl"), script).unwrap();
    fs::set_permissions(folder.join("curl"), Permissions::from_mode(0o755)).unwrap();
    fs::write(&answers, "").unwrap();
    answers
}

async fn search_path(place: &Place) -> String {
    let mut shell = place.command("sh");
    shell.args(["-c", "echo \"$PATH\""]);
    let said = Process::start(&mut shell).ended().await;
    said.out.trim().to_owned()
}

/// The command lines that name a folder.
fn processes_about(folder: &Path) -> Vec<String> {
    let mut names = vec![folder.display().to_string()];
    // Where the cluster lives when the server's user cannot reach the folder.
    names.extend(fs::read_to_string(folder.join("postgres.location")));
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|process| fs::read(process.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| names.iter().any(|name| line.contains(name.trim())))
        .collect()
}
