/// State of the kernel's handlers for ARM64 programs, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registration {
    /// One is registered and enabled.
    Registered(Handler),
    /// None is.
    Absent,
    /// The kernel's handlers cannot be seen from here.
    Unknown,
}

/// A handler that the kernel runs ARM64 programs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handler {
    /// Its name, usually `qemu-aarch64`.
    pub name: String,
    /// The emulator's path.
    pub interpreter: String,
    /// Its flags, such as `POCF`.
    pub flags: String,
}
