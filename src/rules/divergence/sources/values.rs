//! Sources with defaults: Helm values over the chart's own, dotenv and Terraform variables over the file that every
//! environment loads.

use std::rc::Rc;

use bstr::{BStr, BString};

use super::{SourceFormat, SourceInputs, VariableReader, flat};
use crate::error::Result;
use crate::manifests::{self, helm};

pub fn helm(reader: &mut VariableReader<'_, '_>, inputs: &SourceInputs<'_>) -> Result<()> {
    let layers: Vec<Vec<BString>> = match inputs.in_order {
        true => vec![inputs.paths.to_vec()],
        false => inputs.paths.iter().map(|p| vec![p.clone()]).collect(),
    };
    for mut given in layers {
        let Some(first) = given.first().cloned() else { continue };
        reader.begin(inputs.several && !inputs.in_order, first.as_ref());
        let mut readable = Vec::new();
        given.splice(0..0, helm::base(reader.files, first.as_ref()).filter(|b| !given.contains(b)));
        for path in given {
            // An encrypted file is already a variable of its own.
            if reader.load(SourceFormat::HelmValues, path.as_ref())?.is_some() {
                readable.push(path);
            }
        }
        let several = readable.len() > 1;
        let file = readable.last().map(|p| reader.load(SourceFormat::HelmValues, p.as_ref())).transpose()?.flatten();
        let Some(file) = file else { continue };
        match helm::values(reader.files, &readable)? {
            Some(root) if several => reader.flat(&file, std::slice::from_ref(&root)),
            _ => reader.flat(&file, &file.roots),
        }
    }
    Ok(())
}

/// The file with the defaults for an environment's file: `.env` for `.env.production`, `terraform.tfvars` for
/// `production.tfvars`.
pub fn defaults(format: SourceFormat, path: &BStr) -> Option<BString> {
    let name = manifests::name(path);
    let default = match format {
        SourceFormat::Dotenv if name.starts_with(b".env.") => ".env",
        SourceFormat::Tfvars if name != "terraform.tfvars" => "terraform.tfvars",
        _ => return None,
    };
    manifests::join(manifests::directory(path), default)
}

pub fn with_defaults(
    reader: &mut VariableReader<'_, '_>,
    format: SourceFormat,
    inputs: &SourceInputs<'_>,
) -> Result<()> {
    for path in inputs.paths {
        reader.begin(inputs.several, path.as_ref());
        let default = defaults(format, path.as_ref()).filter(|d| !inputs.paths.contains(d));
        if let Some(default) = default
            && let Some(file) = reader.load(format, default.as_ref())?
        {
            reader.inherited = true;
            let result = flat::read(reader, &file.roots);
            reader.inherited = false;
            reader.mistakes.extend(result.err().map(|m| (Rc::clone(&file), m)));
        }
        if let Some(file) = reader.load(format, path.as_ref())? {
            reader.flat(&file, &file.roots);
        }
    }
    Ok(())
}
