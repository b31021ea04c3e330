// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

type (
	versionList struct {
		Versions []versionView `json:"versions"`
	}
	versionView struct {
		ID         string        `json:"id"`
		Links      []versionLink `json:"links"`
		MinVersion string        `json:"min_version"`
		Status     string        `json:"status"`
		Updated    string        `json:"updated"`
		Version    string        `json:"version"`
	}
	versionLink struct {
		Href string `json:"href"`
		Rel  string `json:"rel"`
	}
)

// version answers GET /, to anyone.
func version(c *call) answer {
	return ok(versionList{[]versionView{{
		ID: "v3", Links: []versionLink{{Href: "https://" + c.r.Host + "/v3", Rel: "self"}},
		Status: "CURRENT", Updated: "2018-09-15T00:00:00Z",
	}}})
}
