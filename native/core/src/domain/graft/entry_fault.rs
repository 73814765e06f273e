//! Reasons to pass an entry of the graft cache over, and reasons not to write one.

/// Reason that an entry is not used; a phrase whose subject is the entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryFault {
    /// Something else is under its tag.
    #[error("it is not an entry of the graft cache: {0}")]
    Foreign(String),
    /// Another version of the task wrote it.
    #[error("it has the schema {0}, and this version of the task reads {ours}", ours = super::question::SCHEMA)]
    Schema(u64),
    /// Part of it is missing, or is not what its digest and size demand.
    #[error("it is not whole: {0}")]
    Incomplete(String),
    /// It answers another question, as one that was put under another tag does.
    #[error("it answers another question than this run's")]
    OtherQuestion,
    /// No trusted key has signed it.
    #[error("no trusted key has signed it: {0}")]
    NotSigned(String),
    /// It is not in the one form in which entries are written.
    #[error("it is not in the form in which this task writes entries: {0}")]
    Form(String),
    /// Its layer is not the sensor's folder as a graft packs it.
    #[error("its layer is refused: {0}")]
    Layer(String),
    /// The image that it makes is not the source with the sensor.
    #[error("the image that it makes would be wrong: {0}")]
    Unproven(String),
}

/// Reason that a graft is not kept as an entry; a sentence without its period.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    /// A secret stands where no placeholder can.
    #[error("a secret stands in the image in another form than it was given in")]
    SecretForm,
    /// The question would hold a secret.
    #[error("a secret of this run stands in the source's configuration")]
    SecretInSource,
    /// The answer depends on a label, and the question has no labels.
    #[error("falconutil quotes the source's label `{0}`")]
    Label(String),
    /// The answer depends on a name of this run or of the sensor's repository, which the question does not have.
    #[error("falconutil quotes a name that only this run used")]
    Name,
    /// The change is of a kind that entries do not hold.
    #[error("falconutil's change of the configuration has an unknown form: {0}")]
    Form(&'static str),
}
