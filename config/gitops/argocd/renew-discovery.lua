-- Which actions a ClusterCredential has: while it is suspended a request would wait.
return {renew = {disabled = obj.spec.suspend == true}}
