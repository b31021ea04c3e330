// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"errors"
	"net/http"
	"net/url"
	"testing"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/impl"
	cceregion "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cce/v3/region"

	"github.com/clustercredential/operator/controllers/issuer"
)

// sdkRegions are the regions of CCE in the SDK v0.1.207.
var sdkRegions = []string{
	"cn-north-1", "cn-north-2", "cn-north-4", "cn-north-9", "cn-north-11", "cn-north-12",
	"cn-south-1", "cn-south-2", "cn-south-4", "cn-east-2", "cn-east-3", "cn-east-4", "cn-east-5",
	"cn-southwest-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4",
	"ap-southeast-5", "af-south-1", "af-north-1", "sa-brazil-1", "la-south-2", "la-north-2",
	"na-mexico-1", "ru-northwest-2", "ru-moscow-1", "tr-west-1", "ae-ad-1", "me-east-1",
	"my-kualalumpur-1", "eu-west-0", "eu-west-101",
}

func TestCCEAddressesAreThoseOfTheSDK(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	for _, id := range sdkRegions {
		known, err := cceregion.SafeValueOf(id)
		if err != nil {
			t.Fatal(err)
		}
		if got := cceOf(id); got != known.Endpoints[0] {
			t.Errorf("%s: %s, the SDK has %s", id, got, known.Endpoints[0])
		}
	}
}

// The SDK's table of IAM addresses is internal; what it would call shows it.
func TestIAMAddressesAreThoseOfTheSDK(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	for _, id := range sdkRegions {
		var host string
		client := impl.NewDefaultHttpClient(&config.HttpConfig{
			SigningAlgorithm: "HmacSHA256",
			RoundTripper: roundTripper(func(r *http.Request) (*http.Response, error) {
				host = r.URL.Host
				return nil, errors.New("seen enough")
			}),
		})
		key, err := basic.NewCredentialsBuilder().WithAk("AK" + id).WithSk("sk").SafeBuild()
		if err != nil {
			t.Fatal(err)
		}
		_, _ = key.ProcessAuthParams(client, id)
		if id == europeanCloud { // the SDK's manual corrects its table
			host = "iam.eu-west-101.myhuaweicloud.eu"
		}
		if got := iamOf(id); got != "https://"+host {
			t.Errorf("%s: %s, the SDK calls %s", id, got, host)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAddressesOfAnAccount(t *testing.T) {
	for name, test := range map[string]struct {
		options  Options
		cce, iam string
	}{
		"both follow from the region": {Options{},
			"https://cce.cn-north-4.myhuaweicloud.com", "https://iam.cn-north-4.myhuaweicloud.com"},
		"IAM stands beside a given CCE": {Options{CCEEndpoint: "https://cce.eu-de.otc.t-systems.com"},
			"https://cce.eu-de.otc.t-systems.com", "https://iam.eu-de.otc.t-systems.com"},
		"IAM of Huawei is never asked with the key of another cloud": {Options{CCEEndpoint: "https://containers.example"},
			"https://containers.example", ""},
		"both as given": {Options{CCEEndpoint: "https://a.example", IAMEndpoint: "https://b.example"},
			"https://a.example", "https://b.example"},
		"IAM as given, CCE by region": {Options{IAMEndpoint: "https://b.example"},
			"https://cce.cn-north-4.myhuaweicloud.com", "https://b.example"},
	} {
		t.Run(name, func(t *testing.T) {
			cce, iam := newDialer(t, test.options).endpoints("cn-north-4", issuer.Endpoints{})
			if cce != test.cce || iam != test.iam {
				t.Errorf("got %q and %q, want %q and %q", cce, iam, test.cce, test.iam)
			}
			for _, address := range []string{cce, iam} {
				if u, err := url.Parse(address); err != nil || u.Path != "" {
					t.Errorf("%q: %v", address, err)
				}
			}
		})
	}
}

func TestAnAccountWithoutIAMAddressNeedsItsProject(t *testing.T) {
	d := newDialer(t, Options{CCEEndpoint: "https://containers.example"})
	access := testAccess()
	if _, err := d.Dial(access); err != nil {
		t.Fatal(err)
	}
	access.ProjectID = ""
	_, err := d.Dial(access)
	if fault(t, err).Kind != issuer.Rejected {
		t.Error(err)
	}
}
