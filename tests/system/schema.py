# SPDX-License-Identifier: MIT
# schema.py SCHEMA FILE…: which trees a real validator takes by the schema: "good FILE" or "bad FILE: where: why", a line
# each. YAML is read as version 1.2 has it: of plain words only true, false, null and numbers are no texts.
import json
import re
import sys

import jsonschema
import yaml


class Core(yaml.SafeLoader):
    yaml_implicit_resolvers = {}


def resolve(tag, pattern, first):
    Core.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile(pattern), list(first))


resolve("null", r"^(~|null|Null|NULL|)$", ["~", "n", "N", ""])
resolve("bool", r"^(true|True|TRUE|false|False|FALSE)$", "tTfF")
resolve("int", r"^[-+]?[0-9]+$", "-+0123456789")
resolve("float", r"^[-+]?[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?$", "-+0123456789")
resolve("merge", r"^<<$", "<")

# No octal by a leading zero, and texts that only look like numbers elsewhere stay what they are.
Core.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(node.value, 10))
Core.add_constructor("tag:yaml.org,2002:float", lambda loader, node: float(node.value))

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)

for path in sys.argv[2:]:
    try:
        with open(path, encoding="utf-8-sig") as file:
            tree = yaml.load(file, Core)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        print(f"bad {path}: no YAML: {str(error).splitlines()[0]}")
        continue
    error = jsonschema.exceptions.best_match(validator.iter_errors(tree))
    if error is None:
        print(f"good {path}")
    else:
        print(f"bad {path}: {'.'.join(map(str, error.absolute_path))}: {error.message.splitlines()[0][:160]}")
