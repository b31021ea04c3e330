// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

// The services that are asked.
const (
	cceService = "CCE"
	iamService = "IAM"
)

// operation is what an error must know of the call that failed.
type operation struct {
	// service is who is asked.
	service string
	// grant says what to do after a 403. The names are those of "Permissions and
	// Supported Actions" in the API references of CCE and IAM.
	grant string
	// missing says what a 404 means.
	missing string
	// issues is true for the one call that leaves something behind.
	issues bool
	// reduce takes out of an answer what the SDK should see; nil: all of it.
	reduce func([]byte) []byte
}

// rightsPage says what the key has to be allowed.
const rightsPage = "https://github.com/clustercredential/operator/blob/main/docs/iam.md"

const (
	noCluster = "CCE knows no such cluster: check its id and type, the project and the region"
	noProject = "CCE knows no such project: check the project and the region"
)

var (
	issueCert = operation{
		service: cceService, issues: true, missing: noCluster,
		grant: "grant cce:cluster:generateClientCredential and cce:cluster:get (CCE FullAccess lacks the first)",
	}
	showCluster = operation{
		service: cceService, missing: noCluster, grant: "grant cce:cluster:get", reduce: reduceCluster,
	}
	listClusters = operation{
		service: cceService, missing: noProject, grant: "grant cce:cluster:list", reduce: reduceClusters,
	}
	listProjects = operation{
		service: iamService, missing: "IAM does not know this address: check the region and the IAM endpoint",
		grant: "grant iam:projects:listProjects, or write the projectID",
	}
)
