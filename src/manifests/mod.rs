//! Configuration as it is deployed: what kustomize, Argo CD, Flux, compose and Helm make of the files of a snapshot, as
//! documents in which each value has the place where it was written last. Owns no requirement and knows no environment.
//! Nothing is fetched and no program is run: what comes from elsewhere is told of as [`Unseen`].

mod applicationset;
pub mod compose;
mod edit;
mod files;
pub mod flux;
pub mod helm;
mod inline;
mod kustomize;
mod object;
mod paths;

pub use applicationset::{Generated, expand};
pub use files::{Files, SourceFile};
pub use inline::documents;
pub use kustomize::{Built, FILE_NAMES, Gap, Graph, Unseen, build, has_kustomization, image_parts};
pub use object::{Object, unfold};
pub use paths::{directory, is_remote, join, name};
