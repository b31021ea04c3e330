// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"

	"github.com/clustercredential/operator/hack/stack"
)

// theAccount is the name of every world's account, theKeys that of its Secret.
const (
	theAccount = "huawei"
	theKeys    = "huawei-keys"
)

// accountYAML is an account without limits and its key, as a user writes them.
func accountYAML() string { return namedAccountYAML(theAccount, stack.AccessKey) }

func namedAccountYAML(name, accessKey string) string {
	return keyYAML(name+"-keys", accessKey, canarySecretKey) + "\n---\n" + fmt.Sprintf(`
apiVersion: clustercredential.dev/v1alpha1
kind: CloudAccount
metadata:
  name: %[1]s
spec:
  region: %[2]s
  projectID: %[3]s
  auth:
    accessKey:
      secretRef:
        name: %[1]s-keys
  limits:
    issuesPerMinute: 1000000
`, name, stack.Region, stack.ProjectID)
}

func keyYAML(name, accessKey, secretKey string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Secret
metadata:
  name: %s
stringData:
  accessKey: %s
  secretKey: %s
`, name, accessKey, secretKey)
}

// credentialYAML is a ClusterCredential of a cluster, by its id. More lines of its spec come indented by two spaces.
func credentialYAML(name, cluster string, more ...string) string {
	return credentialOf(name, theAccount, "{id: "+stack.ClusterID(cluster)+"}", more...)
}

// credentialOf is a ClusterCredential with account and cluster as given.
func credentialOf(name, account, cluster string, more ...string) string {
	text := fmt.Sprintf(`
apiVersion: clustercredential.dev/v1alpha1
kind: ClusterCredential
metadata:
  name: %s
spec:
  accountRef:
    name: %s
  cluster: %s
`, name, account, cluster)
	for _, lines := range more {
		text += lines + "\n"
	}
	return text
}
