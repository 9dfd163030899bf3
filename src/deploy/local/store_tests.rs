use super::super::walk;
use super::*;
use jiff::Timestamp;

fn quiet(_: u16) {}

struct Case {
    _root: tempfile::TempDir,
    store: Store,
    path: PathBuf,
}

fn case() -> Case {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().to_owned();
    let (store, crashed) = Store::open(&path).unwrap();
    assert!(!crashed);
    Case {
        _root: root,
        store,
        path,
    }
}

impl Case {
    fn release(&self, id: &str, files: &[(&str, &str)]) -> Manifest {
        let work = self.store.workspace(&"dep_1".into()).unwrap();
        for (path, text) in files {
            let path = work.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let listing = walk::list(work.path(), true).unwrap();
        let records = self.store.take(&listing.files, &|| false, &quiet).unwrap();
        let manifest = Manifest {
            id: id.into(),
            commit: "c".into(),
            tree: "t".into(),
            recipe: String::new(),
            built: false,
            deployment: "dep_1".into(),
            created_at: Timestamp::UNIX_EPOCH,
            files: records,
        };
        self.store.write(&manifest).unwrap();
        manifest
    }

    fn objects(&self) -> usize {
        fs::read_dir(self.path.join("objects")).unwrap().count()
    }
}

#[test]
fn a_release_is_whole_shares_contents_and_loads_again() {
    let case = case();
    let first = case.release(
        "rel_1",
        &[
            ("index.html", "one"),
            ("a/b.txt", "same"),
            ("c.txt", "same"),
        ],
    );
    assert_eq!(case.objects(), 2);
    let second = case.release("rel_2", &[("index.html", "two"), ("a/b.txt", "same")]);
    assert_eq!(case.objects(), 3);
    assert_eq!(case.store.load(&first.id).unwrap(), first);
    assert_eq!(case.store.load(&second.id).unwrap(), second);
    let seen = fs::read_to_string(case.path.join("releases/rel_1/files/a/b.txt")).unwrap();
    assert_eq!(seen, "same");
}

#[cfg(unix)]
#[test]
fn releases_and_objects_are_read_only() {
    use std::os::unix::fs::PermissionsExt;
    let case = case();
    let manifest = case.release("rel_1", &[("a/index.html", "one")]);
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let release = case.path.join("releases/rel_1");
    assert_eq!(mode(release.clone()), 0o555);
    assert_eq!(mode(release.join("files/a")), 0o555);
    assert_eq!(mode(release.join("files/a/index.html")), 0o444);
    assert_eq!(mode(release.join("manifest.json")), 0o444);
    assert_eq!(mode(case.store.object(&manifest.files[0].sha256)), 0o444);
}

#[test]
fn collecting_keeps_what_is_named_and_drops_needless_contents() {
    let case = case();
    case.release("rel_1", &[("index.html", "one"), ("shared.txt", "same")]);
    let second = case.release("rel_2", &[("index.html", "two"), ("shared.txt", "same")]);
    let keep = HashSet::from([second.id.clone()]);
    assert_eq!(case.store.collect(&keep, false).unwrap(), 1);
    assert_eq!(case.objects(), 2);
    assert_eq!(case.store.load(&second.id).unwrap(), second);
    assert!(case.store.load(&"rel_1".into()).is_err());
    assert_eq!(case.store.collect(&keep, false).unwrap(), 0);
}

#[test]
fn a_release_with_a_missing_or_cut_content_does_not_load() {
    let case = case();
    let manifest = case.release("rel_1", &[("index.html", "one"), ("b.txt", "bee")]);
    let object = case.store.object(&manifest.files[0].sha256);
    fs::remove_file(&object).unwrap();
    let error = case.store.load(&manifest.id).unwrap_err().to_string();
    assert!(error.contains("b.txt"), "{error}");
    fs::write(&object, "b").unwrap();
    let error = case.store.load(&manifest.id).unwrap_err().to_string();
    assert!(error.contains("1 bytes"), "{error}");
    // The next release with that content mends it.
    case.release("rel_2", &[("b.txt", "bee")]);
    case.store.load(&manifest.id).unwrap();
}

#[test]
fn opening_clears_what_a_crash_left() {
    let case = case();
    case.release("rel_1", &[("index.html", "one")]);
    fs::create_dir_all(case.path.join("tmp/dep_9-x/export")).unwrap();
    fs::create_dir_all(case.path.join("releases/.new-rel_9/files")).unwrap();
    let (store, crashed) = Store::open(&case.path).unwrap();
    assert!(crashed);
    assert_eq!(store.ids(), [ReleaseId::from("rel_1")]);
    assert_eq!(fs::read_dir(case.path.join("tmp")).unwrap().count(), 0);
}

#[test]
fn files_with_other_names_are_copied_not_moved() {
    let case = case();
    let outside = case.path.join("cache.txt");
    fs::write(&outside, "kept").unwrap();
    let work = case.store.workspace(&"dep_1".into()).unwrap();
    fs::hard_link(&outside, work.path().join("a.txt")).unwrap();
    let listing = walk::list(work.path(), true).unwrap();
    let records = case.store.take(&listing.files, &|| false, &quiet).unwrap();
    fs::write(&outside, "changed by its owner").unwrap();
    assert_eq!(
        fs::read_to_string(case.store.object(&records[0].sha256)).unwrap(),
        "kept"
    );
}

#[test]
fn taking_stops_when_asked() {
    let case = case();
    let work = case.store.workspace(&"dep_1".into()).unwrap();
    fs::write(work.path().join("a.txt"), "a").unwrap();
    let listing = walk::list(work.path(), true).unwrap();
    let outcome = case.store.take(&listing.files, &|| true, &quiet);
    assert!(matches!(outcome, Err(StoreError::Canceled)));
    assert_eq!(case.objects(), 0);
}

#[test]
fn text_that_is_not_utf8_is_known() {
    let case = case();
    let work = case.store.workspace(&"dep_1".into()).unwrap();
    fs::write(work.path().join("a.html"), b"caf\xe9").unwrap();
    fs::write(work.path().join("b.html"), "café").unwrap();
    let listing = walk::list(work.path(), true).unwrap();
    let records = case.store.take(&listing.files, &|| false, &quiet).unwrap();
    assert_eq!(
        records.iter().map(|r| r.utf8).collect::<Vec<_>>(),
        [false, true]
    );
}
