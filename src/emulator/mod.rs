//! A Microsoft Graph tenant on loopback.
