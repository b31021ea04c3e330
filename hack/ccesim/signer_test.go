// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/clustercredential/operator/hack/ccesim"
)

// sign follows the API Request Signing Guide for requests whose path and query
// need no escaping. It shares no code with the simulator.
func sign(r *http.Request, body string, k ccesim.AccessKey, now time.Time, names ...string) {
	r.Header.Set("X-Sdk-Date", now.UTC().Format("20060102T150405Z"))
	if len(names) == 0 {
		names = []string{"x-sdk-date"}
	}
	var headers string
	for _, name := range names {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.URL.Host
		}
		headers += name + ":" + value + "\n"
	}
	path := r.URL.Path
	if !strings.HasSuffix(path, "/") {
		path += "/"
	}
	signed := strings.Join(names, ";")
	canonical := r.Method + "\n" + path + "\n" + r.URL.RawQuery + "\n" + headers + "\n" + signed + "\n" + hash(body)
	mac := hmac.New(sha256.New, []byte(k.Secret))
	mac.Write([]byte("SDK-HMAC-SHA256\n" + r.Header.Get("X-Sdk-Date") + "\n" + hash(canonical)))
	r.Header.Set("Authorization", fmt.Sprintf("SDK-HMAC-SHA256 Access=%s, SignedHeaders=%s, Signature=%s", k.ID, signed, hex.EncodeToString(mac.Sum(nil))))
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
