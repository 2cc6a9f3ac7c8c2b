//! What goes over the wire in the same form on every side: the server, the sandbox and the SDK use
//! this one crate. No I/O and no HTTP type lives here.
