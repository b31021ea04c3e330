-- Asks for one renewal: each new value of the annotation does.
local os = require("os")
obj.metadata.annotations = obj.metadata.annotations or {}
obj.metadata.annotations["clustercredential.dev/renew-requested-at"] = os.date("!%Y-%m-%dT%H:%M:%SZ")
return obj
