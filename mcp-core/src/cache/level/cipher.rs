//! Private results that only those who share the secret can read.

#[cfg(feature = "encryption")]
mod built_in {
    use chacha20poly1305::aead::{Aead as _, KeyInit as _};
    use chacha20poly1305::{XChaCha20Poly1305, XNonce};

    /// How many bytes of chance stand before a value: enough that no two are ever the same.
    const NONCE: usize = 24;

    /// XChaCha20-Poly1305, with a key of its own.
    pub(crate) struct Cipher(XChaCha20Poly1305);

    impl Cipher {
        pub(crate) fn new(secret: &[u8; 32]) -> Option<Self> {
            let key = blake3::derive_key("mcp cache encryption 1", secret);
            Some(Self(XChaCha20Poly1305::new(&key.into())))
        }

        /// Encrypts a value; `None` where the system has no randomness.
        pub(crate) fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
            let mut nonce = [0; NONCE];
            getrandom::fill(&mut nonce).ok()?;
            let encrypted = self.0.encrypt(&XNonce::from(nonce), plain).ok()?;
            Some([&nonce[..], &encrypted].concat())
        }

        /// Decrypts a value; `None` where it was not encrypted with this secret, or changed.
        pub(crate) fn decrypt(&self, encrypted: &[u8]) -> Option<Vec<u8>> {
            let (nonce, encrypted) = encrypted.split_first_chunk::<NONCE>()?;
            self.0.decrypt(&XNonce::from(*nonce), encrypted).ok()
        }
    }
}

#[cfg(not(feature = "encryption"))]
mod built_in {
    /// There is none in this build.
    pub(crate) enum Cipher {}

    impl Cipher {
        pub(crate) fn new(_secret: &[u8; 32]) -> Option<Self> {
            None
        }

        pub(crate) fn encrypt(&self, _plain: &[u8]) -> Option<Vec<u8>> {
            match *self {}
        }

        pub(crate) fn decrypt(&self, _encrypted: &[u8]) -> Option<Vec<u8>> {
            match *self {}
        }
    }
}

pub(crate) use built_in::Cipher;
