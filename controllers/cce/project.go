// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"context"
	"crypto/sha256"
	"net/http"
	"sync"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/def"

	"github.com/clustercredential/operator/controllers/issuer"
)

// maxProjects bounds the cache: about 100 bytes each.
const maxProjects = 1024

// projectCache remembers the project ids that IAM gave, as long as the Dialer lives. The
// SDK's own is global and takes no account of the address.
type projectCache struct {
	mutex sync.Mutex
	ids   map[projectKey]string
}

// projectKey names the account by a hash, so that no key stays behind.
type projectKey struct {
	region  string
	at      place
	account [sha256.Size]byte
}

func (c *projectCache) get(key projectKey) string {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.ids[key]
}

func (c *projectCache) put(key projectKey, id string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.ids == nil {
		c.ids = map[projectKey]string{}
	}
	for old := range c.ids {
		if len(c.ids) < maxProjects {
			break
		}
		delete(c.ids, old)
	}
	c.ids[key] = id
}

// Project returns the project's id, asking IAM at most once with success.
func (a *account) Project(ctx context.Context) (string, error) {
	ctx, cancel := a.bound(ctx)
	defer cancel()
	return a.project(ctx)
}

func (a *account) project(ctx context.Context) (string, error) {
	if a.projectID != "" {
		return a.projectID, nil
	}
	key := projectKey{region: a.region, at: a.at, account: a.fingerprint()}
	if id := a.dialer.projects.get(key); id != "" {
		return id, nil
	}
	ids, _, err := ask(ctx, a, listProjects, "", a.projectsOfRegion)
	if err != nil {
		return "", err
	}
	switch len(ids) {
	case 0:
		return "", &issuer.Error{Kind: issuer.NotFound, Message: "IAM knows no project of the region's name: " +
			"check the region, or write the projectID"}
	case 1:
		a.dialer.projects.put(key, ids[0])
		return ids[0], nil
	}
	return "", rejected("IAM knows several projects of the region's name: write the projectID")
}

func (a *account) fingerprint() [sha256.Size]byte {
	if len(a.key.Token) > 0 {
		return sha256.Sum256(append([]byte("token "), a.key.Token.Reveal()...))
	}
	if a.source != nil {
		return sha256.Sum256([]byte("keyless " + a.key.Name()))
	}
	return sha256.Sum256([]byte("key " + a.key.ID))
}

type projectsRequest struct {
	Name string `json:"name"`
}

// projectsAnswer is the answer to GET /v3/projects (IAM KeystoneListProjects).
type projectsAnswer struct {
	Projects *[]struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"projects"`
	// HttpStatusCode is set by the SDK through reflection.
	HttpStatusCode int `json:"-"` //nolint:revive // the SDK looks for this name
}

// projectsOfRegion asks through the SDK's client, but not through its generated IAM
// service, which would add hundreds of files for this one GET.
func (a *account) projectsOfRegion(client *core.HcHttpClient) ([]string, error) {
	answer := &projectsAnswer{}
	request := def.NewHttpRequestDefBuilder().WithMethod(http.MethodGet).WithPath("/v3/projects").
		WithResponse(answer).
		WithRequestField(def.NewFieldDef().WithName("Name").WithJsonTag("name").WithLocationType(def.Query)).
		Build()
	if _, err := client.Sync(&projectsRequest{Name: a.region}, request); err != nil {
		return nil, err
	}
	if answer.Projects == nil {
		return nil, unusable("the answer holds no list of projects")
	}
	var ids []string
	for _, project := range *answer.Projects {
		if project.Name != a.region {
			continue
		}
		if !isProjectID(project.ID) {
			return nil, unusable("the answer has the project without a valid id")
		}
		ids = append(ids, project.ID)
	}
	return ids, nil
}
