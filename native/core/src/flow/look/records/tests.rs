mod annotations;
mod bundles;
mod statements;
