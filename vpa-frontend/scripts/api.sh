#!/usr/bin/env bash
# Writes openapi.json and src/api/schema.d.ts as the API is now; with --check tells whether they are.
set -euo pipefail
cd "$(dirname "$0")/.."

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT

# Without the settings of whoever asks: the document is the same on every machine.
(cd .. && env -i PATH="$PATH" ENV_FILE=/dev/null INSTANCE_PATH="$fresh/instance" .venv/bin/flask --app run openapi) |
  ../.venv/bin/python -m json.tool --no-ensure-ascii --indent 1 >"$fresh/openapi.json"
node_modules/.bin/openapi-typescript "$fresh/openapi.json" --default-non-nullable false --output "$fresh/schema.d.ts" >/dev/null

if [ "${1:-}" = --check ]; then
  cmp --silent "$fresh/openapi.json" openapi.json && cmp --silent "$fresh/schema.d.ts" src/api/schema.d.ts || {
    echo "openapi.json or src/api/schema.d.ts is not what the API is now; write them again with make api:" >&2
    diff -u openapi.json "$fresh/openapi.json" | cut -c 1-160 | head -n 40 >&2 || true
    exit 1
  }
else
  mv "$fresh/openapi.json" openapi.json
  mv "$fresh/schema.d.ts" src/api/schema.d.ts
fi
