//! The file of the key behind local identities. It is only ever seen whole, and readable by its
//! owner alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::LocalIdentityError;

/// Characters in a line of a PEM file.
const PEM_LINE: usize = 64;

/// A file with a private key.
pub(super) struct KeyFile {
    pub(super) path: PathBuf,
    pub(super) pem: String,
}

/// Reads the key in the folder, or makes it.
pub(super) fn load_or_create(folder: &Path) -> Result<KeyFile, LocalIdentityError> {
    let path = folder.join("signing-key.pem");
    if let Some(pem) = read(&path)? {
        return Ok(KeyFile { path, pem });
    }
    create_folder(folder).map_err(failed(folder, "made"))?;
    let lock_path = folder.join("signing-key.lock");
    let lock = lock(&lock_path).map_err(failed(&lock_path, "locked"))?;
    // Whoever held the lock before has made it.
    if let Some(pem) = read(&path)? {
        return Ok(KeyFile { path, pem });
    }
    let pem = generate()?;
    write(&path, &pem).map_err(failed(&path, "written"))?;
    drop(lock);
    Ok(KeyFile { path, pem })
}

fn read(path: &Path) -> Result<Option<String>, LocalIdentityError> {
    match fs::read_to_string(path) {
        Ok(pem) => {
            warn_if_exposed(path);
            Ok(Some(pem))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(path, "read")(error)),
    }
}

fn generate() -> Result<String, LocalIdentityError> {
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(LocalIdentityError::Generation)?;
    let der: Pkcs8V1Der<'_> = pair.as_der().map_err(LocalIdentityError::Generation)?;
    let mut pem = String::from("-----BEGIN PRIVATE KEY-----\n");
    for (position, letter) in STANDARD.encode(der.as_ref()).chars().enumerate() {
        if position > 0 && position % PEM_LINE == 0 {
            pem.push('\n');
        }
        pem.push(letter);
    }
    pem.push_str("\n-----END PRIVATE KEY-----\n");
    Ok(pem)
}

/// Writes beside the file and moves it into its place, so that no reader sees half of it. The
/// caller holds the lock.
fn write(path: &Path, pem: &str) -> io::Result<()> {
    let draft = path.with_extension("new");
    // Left by a process that was killed; made anew, so that nobody else's mode or owner stays.
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(pem.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, path)
}

fn lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    let file = options.open(path)?;
    file.lock()?;
    Ok(file)
}

fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Some file systems know no modes, so this cannot be refused without locking their users out.
fn warn_if_exposed(path: &Path) {
    #[cfg(unix)]
    {
        let metadata = fs::metadata(path).ok();
        let mode = metadata
            .map(|metadata| std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()));
        if mode.is_some_and(|mode| mode & 0o077 != 0) {
            tracing::warn!(
                path = %path.display(),
                "others on this machine may be able to read the key of local identities: chmod 600 it"
            );
        }
    }
}

fn failed<'a>(
    path: &'a Path,
    action: &'static str,
) -> impl FnOnce(io::Error) -> LocalIdentityError + 'a {
    move |source| LocalIdentityError::File {
        path: path.to_owned(),
        action,
        source,
    }
}
