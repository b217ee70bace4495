//! Variables of services in compose files and their `env_file`s, and the files' names, which may name another environment.

use bstr::BString;

use super::{SourceFormat, SourceInputs, VariableReader, plain, reference, without_environment};
use crate::error::Result;
use crate::manifests::{self, compose};

pub fn read(reader: &mut VariableReader<'_, '_>, inputs: &SourceInputs<'_>) -> Result<()> {
    let groups: Vec<Vec<BString>> = match inputs.in_order {
        true => vec![inputs.paths.to_vec()],
        false => inputs.paths.iter().map(|p| vec![p.clone()]).collect(),
    };
    for given in groups {
        let Some(first) = given.first().cloned() else { continue };
        reader.begin(inputs.several && !inputs.in_order, first.as_ref());
        let mut readable = Vec::new();
        for path in given {
            if reader.load(SourceFormat::Compose, path.as_ref())?.is_some() {
                readable.push(path);
            }
        }
        if readable.is_empty() {
            continue;
        }
        let found = project(reader.files, &readable)?;
        found.files.iter().for_each(|f| reader.keep(f));
        reader.unseen.extend(found.unseen);
        for (name, service) in &found.services {
            for (variable, key, value) in service.from_files.iter().chain(&service.variables) {
                let held = match value {
                    Some(node) => reader.value(node),
                    // Passed on from the shell that starts compose.
                    None => reference(variable, vec![variable.clone()]),
                };
                reader.push(name, variable, key, value.as_ref().unwrap_or(key), held);
            }
            for node in &service.env_files {
                let path = node.text().unwrap_or_default();
                // Replace dots: in a path, `app.dev` names an environment, unlike the last label of a host name.
                let value = plain(&path.replace('.', "/"));
                let path = without_environment(path, reader.words);
                reader.push_free(name, &format!("env_file {path}"), node, node, value);
            }
            if let Some(image) = &service.image {
                super::k8s::image(reader, name, image);
            }
        }
    }
    Ok(())
}

/// Reads the files over the base that they need: `docker-compose.yml` next to files whose services have no image.
pub fn project(files: &manifests::Files<'_>, given: &[BString]) -> Result<compose::Compose> {
    let found = compose::read(files, given)?;
    if !compose::is_override(&found) {
        return Ok(found);
    }
    let directory = given.first().map_or(b"".into(), |p| manifests::directory(p.as_ref()));
    let names = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];
    let base = names.iter().filter_map(|n| manifests::join(directory, n)).find(|p| files.entry(p.as_ref()).is_some());
    match base.filter(|b| !given.contains(b)) {
        Some(base) => {
            let all: Vec<BString> = std::iter::once(base).chain(given.iter().cloned()).collect();
            compose::read(files, &all)
        }
        None => Ok(found),
    }
}
