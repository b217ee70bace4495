"""Runs the steps of action.yml, or the job of ci/gitlab.yml, as their runners do: expressions put in, each script handed to
the shell with the variables that it is given. steps.py action FILE [INPUT=VALUE...] | steps.py gitlab FILE"""

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

kind, file, *words = sys.argv[1:]
document = yaml.safe_load(Path(file).read_text())


def action():
    inputs = {name: str(spec.get("default", "")) for name, spec in document["inputs"].items()}
    for word in words:
        name, value = word.split("=", 1)
        assert name in inputs, f"there is no input {name}"
        inputs[name] = value
    here = str(Path(file).resolve().parent)
    github = {"action_path": here, "server_url": "https://git.example", "action_repository": "portcullis/portcullis"}

    def put_in(text):
        def value(found):
            scope, name = found[1].split(".", 1)
            return {"inputs": inputs, "github": github}[scope][name]

        return re.sub(r"\$\{\{\s*([\w.-]+)\s*\}\}", value, str(text))

    for step in document["runs"]["steps"]:
        assert step["shell"] == "bash" and "${{" not in step["run"], step["name"]
        variables = {name: put_in(value) for name, value in step.get("env", {}).items()}
        # What a step says of itself wins.
        environment = {**os.environ, **variables, "GITHUB_ACTION_PATH": here}
        yield step["name"], ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]], environment


def gitlab():
    (name, job), = ((name, job) for name, job in document.items() if "script" in job)
    variables = {key: str(value) for key, value in job["variables"].items()}
    script = "\n".join([*job["before_script"], *job["script"]])
    # What the project or the runner says wins over the job.
    yield name, ["sh", "-e", "-c", script], {**variables, **os.environ}
    for report, written in job["artifacts"]["reports"].items():
        assert Path(written).stat().st_size > 0, f"{report}: {written}"


for name, command, environment in {"action": action, "gitlab": gitlab}[kind]():
    code = subprocess.run(command, env=environment).returncode
    if code:
        print(f"{name}: exit code {code}")
        sys.exit(code)
