# moto in a Python environment of its own. A virtual environment cannot be moved once made, except for what is started as
# `python -m`, which finds its packages beside itself; the lab starts moto that way alone.
recipe_aws() {
  need_packages python3 python3-venv
  /usr/bin/python3 -m venv "$1/venv" &&
    "$1/venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$LAB_SOURCE/requirements.txt" >&2
}
