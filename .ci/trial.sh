#!/bin/bash
# Starts the pipeline of trial.yml in the trial organization, and ends with its result. Runs in AzureCLI@2.
set -euo pipefail
address=https://dev.azure.com/$TRIALORGANIZATION
where=(--organization "$address" --project "$TRIALPROJECT" --output tsv)
run=$(az pipelines run --name "$TRIALPIPELINE" --query id "${where[@]}")
echo "run $run: $address/$TRIALPROJECT/_build/results?buildId=$run"
for ((look = 0; look < ${TRIAL_LOOKS:-180}; look++)); do
  status=$(az pipelines runs show --id "$run" --query status "${where[@]}")
  if [ "$status" = completed ]; then
    result=$(az pipelines runs show --id "$run" --query result "${where[@]}")
    echo "run $run: $result"
    [ "$result" = succeeded ]
    exit
  fi
  sleep "${TRIAL_PAUSE:-15}"
done
echo "run $run did not end in time" >&2
exit 1
