-- Health of ClusterCredential, CloudAccount and ClusterCloudAccount. They follow kstatus (observedGeneration, Stalled,
-- Reconciling); of a Ready that is False the reason tells whether it comes by itself or somebody has to act.

-- "On its way" in docs/conditions.md: tried again by itself.
local comes = {
  Issuing = true, RateLimited = true, WaitingForWindow = true, Throttled = true, Unavailable = true,
  UnknownOutcome = true, ClusterNotAvailable = true, ClusterReplaced = true, Unreachable = true, InvalidResponse = true,
}

local function health(status, message)
  return {status = status, message = message or ""}
end

local status = obj.status or {}
local condition = {}
for _, c in ipairs(status.conditions or {}) do
  condition[c.type] = c
end
local ready = condition.Ready

if obj.spec and obj.spec.suspend then
  return health("Suspended", "spec.suspend is true" .. (ready and ready.status == "False" and ": " .. ready.message or ""))
end
if ready == nil or status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", "the operator has not looked at this spec yet")
end
if condition.Stalled and condition.Stalled.status == "True" then
  return health("Degraded", condition.Stalled.message)
end
if ready.status == "False" then
  return health(comes[ready.reason] and "Progressing" or "Degraded", ready.reason .. ": " .. ready.message)
end
if ready.status ~= "True" then
  return health("Progressing", ready.message)
end
if condition.Reconciling and condition.Reconciling.status == "True" then
  return health("Progressing", condition.Reconciling.message)
end
-- What is published works. A renewal that fails is told, and is no illness until that expires.
if condition.Issued and condition.Issued.status == "False" then
  return health("Healthy", condition.Issued.reason .. ": " .. condition.Issued.message)
end
return health("Healthy", ready.message)
