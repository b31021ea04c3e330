// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package rotation

import "testing"

// specSeeds come in two: admitted takes the first, and refuses or cannot read the second.
var specSeeds = [2][]string{
	{
		`{"accountRef":{"name":"prod"},"cluster":{"id":"c-1"}}`,
		`{"accountRef":{"name":"prod"},"cluster":{"name":"hub","type":"Autopilot"},"validity":{"days":30}}`,
		`{"accountRef":{"name":"prod","kind":"CloudAccount"},"cluster":{"id":"c-1","type":"Standard"},"validity":{"duration":"720h"}}`,
		`{"accountRef":{"name":"prod"},"cluster":{"id":"c-2"},"validity":{"days":-1},"renewal":{"beforePercent":89}}`,
		`{"accountRef":{"name":"prod"},"cluster":{"id":"c-2"},"validity":{"days":10950},"renewal":{"before":"262800h"}}`,
		`{"accountRef":{"name":"prod"},"cluster":{"id":"c-2"},"validity":{"duration":"20m"},"renewal":{"before":"1s"}}`,
		`{"accountRef":{"name":"prod"},"cluster":{"id":"c-2"},"renewal":{"policy":"Manual"},"suspend":true}`,
		`{"accountRef":{"name":"prod"},"cluster":{"id":"c-2"},"renewal":{"windows":[{"schedule":"0 2 * * *","duration":"4h","timeZone":"Asia/Shanghai"}]}}`,
		`{"accountRef":{"name":"prod"},"cluster":{"id":"c-2"},"renewal":{"windows":[{"schedule":"@yearly","duration":"10m"},{"schedule":"0 0 30 2 *","duration":"4h"}]}}`,
		`{"accountRef":{"name":"prod"},"cluster":{"id":"c-2"},"endpoint":{"access":"Internal"},"deletionPolicy":"Delete",
		  "outputs":[{"secretName":"s","key":"k","clusterName":"n","labels":{"a":"b"}}]}`,
	},
	{
		``, `null`, `[]`, `{}`, `{"validity":{"days":"30"}}`, `{"validity":{"duration":"30d"}}`, `{"renewal":{"before":7}}`,
		`{"accountRef":{"name":"prod"},"cluster":{"id":"c-1","name":"hub"}}`,
		`{"accountRef":{"name":"prod"},"cluster":{"id":"c-1"},"validity":{}}`,
		`{"accountRef":{"name":"prod"},"cluster":{"id":"c-1"},"validity":{"days":2147483647}}`,
		`{"accountRef":{"name":"prod"},"cluster":{"id":"c-1"},"validity":{"days":0}}`,
		`{"accountRef":{"name":"prod"},"cluster":{"id":"c-1"},"validity":{"days":1,"duration":"24h"}}`,
		`{"accountRef":{"name":"prod"},"cluster":{"id":"c-1"},"validity":{"duration":"2562047h47m16.854775807s"}}`,
		`{"accountRef":{"name":"prod"},"cluster":{"id":"c-1"},"renewal":{"beforePercent":90}}`,
		`{"accountRef":{"name":"prod"},"cluster":{"id":"c-1"},"renewal":{"before":"-1h","beforePercent":-2147483648}}`,
	},
}

func TestTheSpecSeedsReachBothSides(t *testing.T) {
	for i, seeds := range specSeeds {
		for _, seed := range seeds {
			spec, ok := specOf([]byte(seed))
			if want := i == 0; (ok && admitted(spec)) != want {
				t.Errorf("%s: admitted is not %v", seed, want)
			}
		}
	}
}
