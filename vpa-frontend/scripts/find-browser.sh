#!/usr/bin/env bash
# Prints the path of the Chromium for the browser tests: CHROMIUM, else the system's, else one that it installs.
set -euo pipefail

if [ -n "${CHROMIUM:-}" ]; then
  command -v "$CHROMIUM" || { echo "CHROMIUM=$CHROMIUM is no program." >&2; exit 1; }
  exit
fi

find_on_path() {
  local name
  for name in chromium chromium-browser google-chrome; do
    command -v "$name" && return
  done
  return 1
}

find_on_path && exit

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing chromium for the browser tests (once) …" >&2
  {
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core
  } >&2
  find_on_path && exit
fi

cd "$(dirname "$0")/.."
node_modules/.bin/playwright install chromium >&2
node --input-type=module -e 'import { chromium } from "@playwright/test"; console.log(chromium.executablePath())'
