//! The socket before a stand-in engine that tells what reached it.
