#!/bin/bash
# Publishes the package of a folder of the artifact: publish.sh FOLDER [OPTION…]. Runs in AzureCLI@2.
set -euo pipefail
cd "$(dirname "$0")/.."
packages=("$PIPELINE_WORKSPACE/packages/$1"/*.vsix)
# The ID of Azure DevOps in Microsoft Entra ID, for which the Marketplace takes tokens.
azure_devops=499b84ac-1321-427f-aa17-267ca6975798
MARKETPLACE_TOKEN=$(az account get-access-token --resource "$azure_devops" --query accessToken --output tsv)
echo "##vso[task.setsecret]$MARKETPLACE_TOKEN"
export MARKETPLACE_TOKEN
node scripts/setup.mjs --modules
npm run publish -- "${packages[@]}" "${@:2}"
