// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

type (
	projectList struct {
		Links    listLinks     `json:"links"`
		Projects []projectView `json:"projects"`
	}
	listLinks struct {
		Self     string  `json:"self"`
		Previous *string `json:"previous"`
		Next     *string `json:"next"`
	}
	projectView struct {
		ID          string   `json:"id"`
		Name        string   `json:"name"`
		DomainID    string   `json:"domain_id"`
		ParentID    string   `json:"parent_id"`
		Description string   `json:"description"`
		Enabled     bool     `json:"enabled"`
		IsDomain    bool     `json:"is_domain"`
		Links       selfLink `json:"links"`
	}
	selfLink struct {
		Self string `json:"self"`
	}
)

// domainID is the one account that all projects belong to.
const domainID = "d78cbac186b744899480f25bd0224680"

// projects answers GET /v3/projects of IAM (KeystoneListProjects): those that
// the caller may use, by exact name if one is given.
func (s *Server) projects(c *call) answer {
	self := "https://" + c.r.Host + c.r.URL.RequestURI()
	all := projectList{Links: listLinks{Self: self}, Projects: []projectView{}}
	for _, p := range s.registry.projectsNamed(c.r.URL.Query().Get("name")) {
		if !c.who.mayUse(p.ID) {
			continue
		}
		all.Projects = append(all.Projects, projectView{
			ID: p.ID, Name: p.Name, DomainID: domainID, ParentID: domainID, Enabled: true,
			Links: selfLink{"https://" + c.r.Host + "/v3/projects/" + p.ID},
		})
	}
	return ok(all)
}
