// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"fmt"
	"io"
	"strings"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/impl"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/request"

	"github.com/clustercredential/operator/controllers/issuer"
)

// checkKey accepts an access key, a token, or a way to obtain a key. A line break at the
// end, the most common mistake in a Secret, is told here and not by a locked key.
func checkKey(key issuer.Key) error {
	if key.Keyless != (issuer.Keyless{}) {
		return checkKeyless(key)
	}
	isToken, isAccessKey := len(key.Token) > 0, key.ID != "" || len(key.Secret) > 0
	switch {
	case isToken && (isAccessKey || len(key.SecurityToken) > 0):
		return rejected("give either an access key or a token, not both")
	case isToken:
		return checkPart("the token", string(key.Token))
	case key.ID == "" || len(key.Secret) == 0:
		return rejected("the access key is not complete: its id or its secret is empty")
	case strings.ContainsAny(key.ID, ",;="):
		return rejected("the id of the access key holds a character that no id has")
	}
	if err := checkPart("the id of the access key", key.ID); err != nil {
		return err
	}
	if err := checkPart("the secret of the access key", string(key.Secret)); err != nil {
		return err
	}
	return checkPart("the security token", string(key.SecurityToken))
}

func checkPart(name, value string) error {
	if !isPrintable(value) || strings.Contains(value, " ") {
		return rejected(name + " holds a space, a line break or a character that is not ASCII: write it without")
	}
	return nil
}

// credential signs requests for one project; an empty project names none. It is made
// afresh for each call, since the SDK's credentials are plain strings that print.
func credential(key issuer.Key, projectID string) auth.ICredential {
	if len(key.Token) > 0 {
		return &tokenCredential{token: key.Token, projectID: projectID}
	}
	// A literal and not the builder: the builder may fall back to files or to the
	// metadata service.
	return &basic.Credentials{
		BaseCredentials: auth.BaseCredentials{
			AK:            key.ID,
			SK:            string(key.Secret.Reveal()),
			SecurityToken: string(key.SecurityToken.Reveal()),
		},
		ProjectId: projectID,
	}
}

// tokenCredential sends a token that was obtained elsewhere; the SDK has no such way.
type tokenCredential struct {
	token     issuer.Sensitive
	projectID string
}

// Format keeps the token out of every fmt verb: fmt does not call the methods of
// fields that are not exported.
func (c *tokenCredential) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, "token") }

// ProcessAuthParams would look up a project when the SDK's builder runs; it never does.
func (c *tokenCredential) ProcessAuthParams(*impl.DefaultHttpClient, string) (auth.ICredential, error) {
	return c, nil
}

// ProcessAuthRequest adds the token and fills in the project, as the SDK's own do.
func (c *tokenCredential) ProcessAuthRequest(
	_ *impl.DefaultHttpClient, r *request.DefaultHttpRequest,
) (*request.DefaultHttpRequest, error) {
	builder := r.Builder().AddHeaderParam("X-Auth-Token", string(c.token.Reveal()))
	if c.projectID != "" {
		builder.AddAutoFilledPathParam("project_id", c.projectID).AddHeaderParam("X-Project-Id", c.projectID)
	}
	return builder.Build(), nil
}
