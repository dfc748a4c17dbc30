#!/bin/sh
# Starts the coordinator of run $VITRAIL_RUN, or resumes it where its folder already holds a run.
set -eu

out="/runs/$VITRAIL_RUN"
resume=''
if [ -e "$out/config.yaml" ]; then resume='--resume'; fi

# VITRAIL_OPTIONS is a list of flags: split at spaces on purpose.
# shellcheck disable=SC2086
exec node /app/dist/src/program/cli.js coordinator \
  --data /data --out "$out" --workers "$VITRAIL_WORKERS" \
  --listen "$VITRAIL_LISTEN" --http-listen "$VITRAIL_HTTP_LISTEN" \
  $resume $VITRAIL_OPTIONS "$@"
