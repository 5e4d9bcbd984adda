//! The keys that Graph encrypts notifications for, and their certificates. Each has a label, which notifications name: an old
//! key stays until nothing can name it any more.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{OaepPrivateDecryptingKey, PrivateDecryptingKey};
use jiff::{SignedDuration, Timestamp};
use parking_lot::RwLock;
use zeroize::Zeroizing;

use super::crypto;
use super::item::Encrypted;
use super::outcome::Outcome;
use crate::private_file;
use teams_base::error::{Error, Result};
use teams_base::secret::Secret;
use teams_client::auth::Certificate;

/// The life of a certificate that is made here, in days, and how long before its end another one takes its place.
const LIFE_DAYS: i32 = 365;
const ROTATE_BEFORE: SignedDuration = SignedDuration::from_hours(60 * 24);
/// A key that has been replaced can be named by what a hub keeps for 90 days, the longest retention that Event Hubs has, after
/// the last subscription with it has ended.
const KEPT: SignedDuration = SignedDuration::from_hours(100 * 24);
/// Graph takes keys of 2,048 to 4,096 bits. One of 2,048 is unwrapped five times faster than one of 4,096.
const KEY_BITS: rcgen::RsaKeySize = rcgen::RsaKeySize::_2048;
/// The longest label that Graph takes.
const LONGEST_LABEL: usize = 128;
const EXTENSION: &str = "pem";

/// A private key with its certificate.
pub struct PrivateKey {
    /// What Graph calls it: `encryptionCertificateId`.
    pub label: String,
    /// SHA-1 of the certificate, in upper-case hex.
    pub thumbprint: String,
    /// The certificate in DER.
    pub certificate: Vec<u8>,
    pub created: Timestamp,
    pub ends: Timestamp,
    key: OaepPrivateDecryptingKey,
}

impl PrivateKey {
    fn new(label: &str, certificate: Certificate) -> Result<Self> {
        let unusable = || {
            Error::configuration(
                "The key of a certificate for notifications cannot be used: it must be RSA of 2,048 to 4,096 bits",
            )
        };
        let der: Pkcs8V1Der<'_> = certificate.key.as_der().map_err(|_| unusable())?;
        let key = PrivateDecryptingKey::from_pkcs8(der.as_ref()).map_err(|_| unusable())?;
        if !(2_048..=4_096).contains(&key.key_size_bits()) {
            return Err(unusable());
        }
        let created = created(label).unwrap_or(certificate.begins);
        Ok(Self {
            label: label.to_owned(),
            thumbprint: thumbprint(&certificate.der),
            certificate: certificate.der.to_vec(),
            created,
            ends: certificate.ends,
            key: OaepPrivateDecryptingKey::new(key).map_err(|_| unusable())?,
        })
    }

    /// PEM or PFX that the user gives; without a label it is called by its thumbprint.
    pub fn given(bytes: &[u8], password: Option<&Secret>, label: Option<&str>) -> Result<Self> {
        let certificate = Certificate::of_option("certificate", bytes, password)?;
        let label = label.map_or_else(|| thumbprint(&certificate.der), str::to_owned);
        if label.is_empty() || label.len() > LONGEST_LABEL {
            return Err(Error::configuration(format!(
                "Option certificate_label: it must have 1 to {LONGEST_LABEL} characters"
            )));
        }
        Self::new(&label, certificate)
    }

    /// The text of a content, wiped when dropped.
    pub fn decrypt(&self, content: &Encrypted<'_>) -> Result<Zeroizing<String>, Outcome> {
        crypto::decrypt(&self.key, content)
    }
}

fn thumbprint(certificate: &[u8]) -> String {
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate);
    hash.as_ref().iter().fold(String::with_capacity(40), |text, byte| text + &format!("{byte:02X}"))
}

/// Keys by their labels.
pub struct KeyRing {
    /// Where they are made and kept; `None` where they were given.
    folder: Option<PathBuf>,
    /// The newest last.
    keys: RwLock<Vec<Arc<PrivateKey>>>,
}

impl KeyRing {
    /// The keys of a folder, which is made if it is not there; it may hold none yet.
    pub fn open(folder: &Path) -> Result<Self> {
        private_file::folder(folder).map_err(|error| unwritable(folder, &error))?;
        let ring = Self { folder: Some(folder.to_owned()), keys: RwLock::default() };
        ring.reload()?;
        Ok(ring)
    }

    pub fn given(keys: Vec<PrivateKey>) -> Self {
        Self { folder: None, keys: RwLock::new(keys.into_iter().map(Arc::new).collect()) }
    }

    /// Reads the folder again: another process may have made a key.
    pub fn reload(&self) -> Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let mut keys = self.keys.read().clone();
        let labels = labels(folder).map_err(|error| unwritable(folder, &error))?;
        keys.retain(|key| labels.contains(&key.label));
        let new = labels.iter().filter(|label| !keys.iter().any(|key| key.label == **label));
        let new = new.map(|label| read(folder, label).map(Arc::new)).collect::<Result<Vec<_>>>()?;
        keys.extend(new);
        keys.sort_by(|a, b| (a.created, &a.label).cmp(&(b.created, &b.label)));
        *self.keys.write() = keys;
        Ok(())
    }

    pub fn all(&self) -> Vec<Arc<PrivateKey>> {
        self.keys.read().clone()
    }

    /// The key that new subscriptions name.
    pub fn current(&self) -> Option<Arc<PrivateKey>> {
        self.keys.read().last().cloned()
    }

    /// The key that a notification names, by its label or else by its certificate.
    pub fn find(&self, content: &Encrypted<'_>) -> Option<Arc<PrivateKey>> {
        let keys = self.keys.read();
        let labelled = content.label.as_deref().and_then(|label| keys.iter().find(|key| key.label == label));
        let printed = || {
            let print = content.thumbprint.as_deref()?;
            keys.iter().find(|key| key.thumbprint.eq_ignore_ascii_case(print))
        };
        labelled.or_else(printed).cloned()
    }

    /// Makes a key, which is the current one from now on.
    pub fn make(&self, now: Timestamp) -> Result<Arc<PrivateKey>> {
        let folder = self.folder.as_ref().ok_or_else(|| {
            Error::configuration(
                "Option certificate: the certificate was given, and so no other one is made. Replace its file",
            )
        })?;
        // Labels tell seconds, and the newest is the current one.
        let now = self.current().map_or(now, |key| now.max(key.created + SignedDuration::from_secs(1)));
        let label = label(now);
        let pem = generate(&label, now)?;
        let path = folder.join(format!("{label}.{EXTENSION}"));
        private_file::replace(&path, pem.as_bytes()).map_err(|error| unwritable(folder, &error))?;
        self.reload()?;
        self.current().ok_or_else(|| Error::Internal("a key that was made is not there".to_owned()))
    }

    /// The current key; a new one where there is none, or where it ends soon.
    pub fn ensure(&self, now: Timestamp) -> Result<Arc<PrivateKey>> {
        match self.current() {
            Some(key) if self.folder.is_none() || key.ends > now + ROTATE_BEFORE => Ok(key),
            _ => self.make(now),
        }
    }

    /// Removes keys that nothing can name any more; `named` are those of subscriptions.
    pub fn retire(&self, now: Timestamp, named: &HashSet<String>) -> Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let keys = self.all();
        for (key, successor) in keys.iter().zip(keys.iter().skip(1)) {
            if successor.created + KEPT < now && !named.contains(&key.label) {
                let path = folder.join(format!("{}.{EXTENSION}", key.label));
                fs::remove_file(path).map_err(|error| unwritable(folder, &error))?;
            }
        }
        self.reload()
    }
}

/// The labels of the keys in a folder.
fn labels(folder: &Path) -> io::Result<Vec<String>> {
    let mut labels = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_key = path.extension().is_some_and(|extension| extension == EXTENSION);
        if let (true, Some(label)) = (is_key, path.file_stem().and_then(|stem| stem.to_str())) {
            labels.push(label.to_owned());
        }
    }
    Ok(labels)
}

fn read(folder: &Path, label: &str) -> Result<PrivateKey> {
    let path = folder.join(format!("{label}.{EXTENSION}"));
    let damaged = |why: &dyn std::fmt::Display| {
        Error::configuration(format!(
            "The key file {} cannot be read ({why}): restore it, or move it away; what was encrypted for it is then read by polling",
            path.display()
        ))
    };
    let bytes = Zeroizing::new(fs::read(&path).map_err(|error| damaged(&error))?);
    let certificate = Certificate::read(&bytes, None).map_err(|_| damaged(&"it is damaged"))?;
    PrivateKey::new(label, certificate)
}

fn unwritable(folder: &Path, error: &io::Error) -> Error {
    Error::configuration(format!("The folder of keys {} cannot be used: {error}", folder.display()))
}

const LABEL: &str = "lakeflow-teams-";
const LABEL_TIME: &str = "%Y%m%dT%H%M%SZ";

/// A label that tells when its key was made.
fn label(now: Timestamp) -> String {
    let mut random = uuid::Uuid::new_v4().simple().to_string();
    random.truncate(8);
    format!("{LABEL}{}-{random}", now.strftime(LABEL_TIME))
}

fn created(label: &str) -> Option<Timestamp> {
    let time = label.strip_prefix(LABEL)?.split('-').next()?;
    let time = jiff::civil::DateTime::strptime(LABEL_TIME, time).ok()?;
    time.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|time| time.timestamp())
}

/// A key and a certificate that it signs itself, as PEM.
pub(super) fn generate(label: &str, now: Timestamp) -> Result<Zeroizing<String>> {
    let failed = |error: rcgen::Error| Error::Internal(format!("a certificate cannot be made: {error}"));
    let pair = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, KEY_BITS).map_err(failed)?;
    let mut about = rcgen::CertificateParams::new(Vec::new()).map_err(failed)?;
    about.distinguished_name = rcgen::DistinguishedName::new();
    about.distinguished_name.push(rcgen::DnType::CommonName, label);
    let day = |time: Timestamp| {
        let date = time.to_zoned(jiff::tz::TimeZone::UTC).date();
        rcgen::date_time_ymd(i32::from(date.year()), date.month() as u8, date.day() as u8)
    };
    let hours = |days: i32| SignedDuration::from_hours(i64::from(days) * 24);
    // From yesterday, for clocks that differ.
    about.not_before = day(now - hours(1));
    about.not_after = day(now + hours(LIFE_DAYS));
    let certificate = about.self_signed(&pair).map_err(failed)?;
    let key = Zeroizing::new(pair.serialize_pem());
    Ok(Zeroizing::new(format!("{}{}", *key, certificate.pem())))
}

/// A time without what labels do not tell.
#[cfg(test)]
fn whole(time: Timestamp) -> Timestamp {
    time.round(jiff::Unit::Second).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> PathBuf {
        std::env::temp_dir().join(format!("keys-{}", uuid::Uuid::new_v4()))
    }

    #[test]
    fn keys_are_made_kept_and_found_again() {
        let folder = folder();
        let now = whole(Timestamp::now());
        let ring = KeyRing::open(&folder).unwrap();
        assert!(ring.current().is_none());
        let first = ring.ensure(now - SignedDuration::from_hours(1)).unwrap();
        assert_eq!(ring.ensure(now).unwrap().label, first.label, "it has most of its life before it");
        let second = ring.make(now).unwrap();
        assert!(first.label != second.label && first.thumbprint.len() == 40 && first.label.len() < LONGEST_LABEL);

        let again = KeyRing::open(&folder).unwrap();
        assert_eq!(again.current().unwrap().label, second.label);
        assert_eq!(again.current().unwrap().created, now);
        let named = |label: Option<&str>, thumbprint: Option<&str>| {
            let content = Encrypted {
                data: "".into(),
                signature: None,
                key: "".into(),
                label: label.map(Into::into),
                thumbprint: thumbprint.map(|text| text.to_owned().into()),
            };
            again.find(&content).map(|key| key.label.clone())
        };
        assert_eq!(named(Some(&first.label), None), Some(first.label.clone()));
        let lower = first.thumbprint.to_lowercase();
        assert_eq!(named(Some("renamed"), Some(&lower)), Some(first.label.clone()));
        assert_eq!((named(Some("unknown"), None), named(None, None)), (None, None));

        let later = now + KEPT + SignedDuration::from_secs(1);
        again.retire(later, &HashSet::from([first.label.clone()])).unwrap();
        assert_eq!(again.all().len(), 2, "a subscription names it");
        again.retire(now, &HashSet::new()).unwrap();
        assert_eq!(again.all().len(), 2, "an item may name it");
        again.retire(later, &HashSet::new()).unwrap();
        assert_eq!(again.all().len(), 1);
        let ending = again.current().unwrap().ends - SignedDuration::from_hours(24);
        assert_ne!(again.ensure(ending).unwrap().label, second.label, "it ends soon");
        fs::remove_dir_all(folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_them() {
        use std::os::unix::fs::PermissionsExt;

        let folder = folder().join("keys");
        let ring = KeyRing::open(&folder).unwrap();
        ring.make(Timestamp::now()).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        for entry in fs::read_dir(&folder).unwrap() {
            assert_eq!(mode(&entry.unwrap().path()), 0o600);
        }
        fs::remove_dir_all(folder.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_damaged_key_is_named_and_a_foreign_one_refused() {
        let folder = folder();
        private_file::folder(&folder).unwrap();
        fs::write(folder.join("mine.pem"), "-----BEGIN PRIVATE KEY-----\nmarked\n-----END PRIVATE KEY-----").unwrap();
        let text = KeyRing::open(&folder).err().unwrap().to_string();
        assert!(text.contains("mine.pem") && text.contains("damaged") && !text.contains("marked"), "{text}");
        fs::remove_dir_all(folder).unwrap();

        let text = PrivateKey::given(b"marked", None, None).err().unwrap().to_string();
        assert!(text.starts_with("Option certificate:") && !text.contains("marked"), "{text}");
        let ring = KeyRing::given(Vec::new());
        assert!(ring.make(Timestamp::now()).err().unwrap().to_string().contains("was given"));
    }

    #[test]
    fn a_given_certificate_is_called_by_its_thumbprint() {
        let pem = generate("x", Timestamp::now()).unwrap();
        let key = PrivateKey::given(pem.as_bytes(), None, None).unwrap();
        assert_eq!(key.label, key.thumbprint);
        assert_eq!(PrivateKey::given(pem.as_bytes(), None, Some("mine")).unwrap().label, "mine");
        assert!(PrivateKey::given(pem.as_bytes(), None, Some("")).is_err());
    }
}
