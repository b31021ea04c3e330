// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"errors"
	"net"
	"net/url"
	"strings"

	cceregion "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cce/v3/region"

	"github.com/clustercredential/operator/controllers/issuer"
)

// The addresses are made here and not by the SDK's region.SafeValueOf, which lets
// variables and a file in the home directory override them, and races when it does.

// globalIAM serves the regions that the SDK knows without an IAM address of their own
// (core/auth/internal/iam_endpoint.go of the SDK).
const globalIAM = "https://iam.myhuaweicloud.com"

// europeanCloud is the one region of another domain. Its IAM address is in the SDK's
// user manual (section 3.3.1.1), not in its table.
const europeanCloud = "eu-west-101"

// endpoints returns the addresses for an account of the region that may have its own.
// The second one is empty if none is known: with a CCE of its own an account is of
// another cloud than the Dialer's, and so is its IAM.
func (d *Dialer) endpoints(region string, own issuer.Endpoints) (cce, iam string) {
	cce, iam = d.cceEndpoint, d.iamEndpoint
	if own.CCE != "" {
		cce, iam = own.CCE, ""
	}
	if own.IAM != "" {
		iam = own.IAM
	}
	if iam == "" && cce != "" {
		iam = besideCCE(cce)
	} else if iam == "" {
		iam = iamOf(region)
	}
	if cce == "" {
		cce = cceOf(region)
	}
	return cce, iam
}

func besideCCE(endpoint string) string {
	if rest, ok := strings.CutPrefix(endpoint, "https://cce."); ok {
		return "https://iam." + rest
	}
	return ""
}

func cceOf(region string) string {
	if region == europeanCloud {
		return cceregion.EU_WEST_101.Endpoints[0]
	}
	return "https://cce." + region + ".myhuaweicloud.com"
}

func iamOf(region string) string {
	switch region {
	case europeanCloud:
		return "https://iam.eu-west-101.myhuaweicloud.eu"
	case "af-north-1", "ap-southeast-5", "cn-north-11", "cn-south-4", "ru-northwest-2":
		return globalIAM
	}
	return "https://iam." + region + ".myhuaweicloud.com"
}

// parseEndpoint checks an address and returns it as scheme://host[:port]; empty stays
// empty. The text is not repeated in the error, since it may hold a password.
func parseEndpoint(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || !isPrintable(text) {
		return "", errors.New("write https://host or https://host:port")
	}
	if u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return "", errors.New("write scheme and host only, without user, path or query")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return "", errors.New("write https (http is accepted for loopback addresses only)")
	}
	return u.Scheme + "://" + u.Host, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
