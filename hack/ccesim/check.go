// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
)

var (
	projectIDForm = regexp.MustCompile(`^[0-9a-f]{32}$`)
	uuidForm      = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

func (k AccessKey) check() error {
	switch {
	case k.ID == "":
		return fmt.Errorf("an access key has no ID")
	case k.Secret == "":
		return fmt.Errorf("access key %s: the secret is empty", k.ID)
	case k.UserID == "":
		return fmt.Errorf("access key %s: the user ID is empty; it becomes the common name", k.ID)
	}
	return nil
}

func (p Project) check() error {
	switch {
	case !projectIDForm.MatchString(p.ID):
		return fmt.Errorf("project ID %q is not 32 lower-case hexadecimal digits", p.ID)
	case p.Name == "":
		return fmt.Errorf("project %s: the name is empty", p.ID)
	}
	return nil
}

func (c Cluster) check() error {
	switch {
	case !uuidForm.MatchString(c.ID):
		return fmt.Errorf("cluster ID %q is not a lower-case UUID", c.ID)
	case c.Name == "":
		return fmt.Errorf("cluster %s: the name is empty", c.ID)
	case c.Type != Standard && c.Type != Autopilot:
		return fmt.Errorf("cluster %s: type %q is neither %q nor %q", c.ID, c.Type, Standard, Autopilot)
	}
	for _, address := range []string{c.InternalURL, c.ExternalURL} {
		if err := checkAddress(address); err != nil {
			return fmt.Errorf("cluster %s: %w", c.ID, err)
		}
	}
	return nil
}

func checkAddress(address string) error {
	if address == "" {
		return nil
	}
	if u, err := url.Parse(address); err != nil || u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("address %q is not an https URL", address)
	}
	return nil
}

func (c Cluster) withDefaults() Cluster {
	c.Alias = cmp.Or(c.Alias, c.Name)
	c.Type = cmp.Or(c.Type, Standard)
	c.Phase = cmp.Or(c.Phase, "Available")
	c.InternalURL = cmp.Or(c.InternalURL, "https://192.168.0.10:5443")
	c.Version = cmp.Or(c.Version, "v1.30")
	return c
}

func (c Cluster) clone() Cluster {
	c.CustomSANs, c.Labels = slices.Clone(c.CustomSANs), maps.Clone(c.Labels)
	return c
}
