// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import "strings"

func zeros(n int) string { return strings.Repeat("0", n) }

func windows(n int) string {
	return strings.TrimSuffix(strings.Repeat("{schedule: '@daily', duration: 4h}, ", n), ", ")
}

// specExamples are about the spec of a ClusterCredential, without outputs.
func specExamples() []example {
	const (
		writeHours    = "write hours, e.g. 720h; days are not a unit"
		durationForm  = "pattern"
		validityRange = "write at least 20m (the cloud wants 15m when the request arrives) and at most 262800h"
		beforeRange   = "write at least 1s and at most 262800h"
		windowRange   = "write at least 10m and at most 168h"
	)
	window := func(fields string) string { return "spec: {renewal: {windows: [{" + fields + "}]}}" }
	return []example{{
		constraint: constraint{credential, "", "metadata.name: at most 242 characters when spec.outputs is not set, since the Secret " +
			"is called <name>-kubeconfig; shorten the name or set spec.outputs[0].secretName"},
		accepted: []string{
			"metadata: {name: " + long(242) + "}",
			"{metadata: {name: " + long(242) + "}, spec: {outputs: []}}",
			"{metadata: {name: " + long(243) + "}, spec: {outputs: [{secretName: short}]}}",
			"{metadata: {name: " + long(253) + "}, spec: {outputs: [{secretName: short}]}}",
		},
		rejected: []string{
			"metadata: {name: " + long(243) + "}",
			"{metadata: {name: " + long(243) + "}, spec: {outputs: []}}",
			"metadata: {name: " + long(253) + "}",
		},
	}, {
		constraint: constraint{credential, "spec.accountRef", "required"},
		accepted:   []string{"spec: {accountRef: {name: huawei-prod}}"},
		rejected:   []string{"spec: {accountRef: null}"},
	}, {
		constraint: constraint{credential, "spec.accountRef.kind", "enum"},
		accepted: []string{
			"spec: {accountRef: {name: huawei-prod, kind: CloudAccount}}", "spec: {accountRef: {name: huawei-shared, kind: ClusterCloudAccount}}",
		},
		rejected: []string{
			"spec: {accountRef: {name: huawei-prod, kind: Secret}}",
			"spec: {accountRef: {name: huawei-prod, kind: ''}}",
		},
	}, {
		constraint: constraint{credential, "spec.accountRef.name", "required"},
		accepted:   []string{"spec: {accountRef: {name: a}}"},
		rejected:   []string{"spec: {accountRef: {}}", "spec: {accountRef: {kind: CloudAccount}}"},
	}, {
		constraint: constraint{credential, "spec.accountRef.name", "minLength"},
		accepted:   []string{"spec: {accountRef: {name: a}}"},
		rejected:   []string{"spec: {accountRef: {name: ''}}"},
	}, {
		constraint: constraint{credential, "spec.accountRef.name", "maxLength"},
		accepted:   []string{"spec: {accountRef: {name: " + long(253) + "}}"},
		rejected:   []string{"spec: {accountRef: {name: " + long(254) + "}}"},
	}, {
		constraint: constraint{credential, "spec.accountRef.name",
			"write the name of an account: lower-case letters, digits, '-' and '.', such as huawei-prod"},
		accepted: []string{"spec: {accountRef: {name: a.b-2}}"},
		rejected: []string{"spec: {accountRef: {name: Huawei}}", "spec: {accountRef: {name: fleet/huawei}}", "spec: {accountRef: {name: ''}}"},
	}, {
		constraint: constraint{credential, "spec.cluster", "required"},
		accepted:   []string{"spec: {cluster: {name: prod-1}}"},
		rejected:   []string{"spec: {cluster: null}"},
	}, {
		constraint: constraint{credential, "spec.cluster",
			"set exactly one of id (the cluster's UUID) and name (its name in the account's project)"},
		accepted: []string{"spec: {cluster: {name: prod-1}}", "spec: {cluster: {id: 1f3a5c7e-0b2d-4f6a-8c9e-1a2b3c4d5e6f}}"},
		rejected: []string{
			"spec: {cluster: {}}",
			"spec: {cluster: {type: Standard}}",
			"spec: {cluster: {name: prod-1, id: 1f3a5c7e-0b2d-4f6a-8c9e-1a2b3c4d5e6f}}",
		},
	}, {
		constraint: constraint{credential, "spec.cluster.id", "write the cluster's id as the CCE console shows it, a lower-case UUID " +
			"such as 1f3a5c7e-0b2d-4f6a-8c9e-1a2b3c4d5e6f"},
		accepted: []string{"spec: {cluster: {id: 00000000-0000-0000-0000-000000000000}}"},
		rejected: []string{
			"spec: {cluster: {id: ''}}",
			"spec: {cluster: {id: prod-1}}",
			"spec: {cluster: {id: 1F3A5C7E-0B2D-4F6A-8C9E-1A2B3C4D5E6F}}",
			"spec: {cluster: {id: 1f3a5c7e0b2d4f6a8c9e1a2b3c4d5e6f}}",
			"spec: {cluster: {id: 1f3a5c7e-0b2d-4f6a-8c9e-1a2b3c4d5e6f0}}",
			"spec: {cluster: {id: ../../../v3/users}}",
		},
	}, {
		constraint: constraint{credential, "spec.cluster.id", "maxLength"}, // above a UUID's, so that the rule's message is seen
		accepted:   []string{"spec: {cluster: {id: 1f3a5c7e-0b2d-4f6a-8c9e-1a2b3c4d5e6f}}"},
		rejected:   []string{"spec: {cluster: {id: " + long(65) + "}}"},
	}, {
		constraint: constraint{credential, "spec.cluster.name", "minLength"},
		accepted:   []string{"spec: {cluster: {name: p}}"},
		rejected:   []string{"spec: {cluster: {name: ''}}"},
	}, {
		constraint: constraint{credential, "spec.cluster.name", "maxLength"},
		accepted:   []string{"spec: {cluster: {name: " + long(128) + "}}"},
		rejected:   []string{"spec: {cluster: {name: " + long(129) + "}}"},
	}, {
		constraint: constraint{credential, "spec.cluster.type", "enum"},
		accepted:   []string{"spec: {cluster: {name: prod-1, type: Standard}}", "spec: {cluster: {name: prod-1, type: Autopilot}}"},
		rejected:   []string{"spec: {cluster: {name: prod-1, type: Turbo}}", "spec: {cluster: {name: prod-1, type: autopilot}}"},
	}, {
		constraint: constraint{credential, "spec.validity", "set exactly one of days and duration"},
		accepted:   []string{"spec: {validity: {days: 30}}", "spec: {validity: {duration: 6h}}"},
		rejected:   []string{"spec: {validity: {}}", "spec: {validity: {days: 30, duration: 720h}}"},
	}, {
		constraint: constraint{credential, "spec.validity.days", "write 1 to 10950 days, or -1 for the longest that the cloud grants"},
		accepted:   []string{"spec: {validity: {days: 1}}", "spec: {validity: {days: 10950}}", "spec: {validity: {days: -1}}"},
		rejected: []string{
			"spec: {validity: {days: 0}}",
			"spec: {validity: {days: -2}}",
			"spec: {validity: {days: 10951}}",
			"spec: {validity: {days: 2147483648}}",
			"spec: {validity: {days: 4294967297}}", // 1 in 32 bits
		},
	}, {
		constraint: constraint{credential, "spec.validity.duration", "not for Autopilot clusters, whose API takes whole days only; write validity.days"},
		accepted: []string{
			"spec: {cluster: {name: prod-1, type: Autopilot}, validity: {days: 7}}",
			"spec: {cluster: {name: prod-1, type: Autopilot}}",
			"spec: {cluster: {name: prod-1, type: Standard}, validity: {duration: 6h}}",
		},
		rejected: []string{"spec: {cluster: {name: prod-1, type: Autopilot}, validity: {duration: 24h}}"},
	}, {
		constraint: constraint{credential, "spec.validity.duration", durationForm},
		accepted:   []string{"spec: {validity: {duration: 1h30m}}"},
		rejected:   []string{"spec: {validity: {duration: 30d}}"},
	}, {
		constraint: constraint{credential, "spec.validity.duration", writeHours},
		accepted:   []string{"spec: {validity: {duration: 720h}}"},
		rejected:   []string{"spec: {validity: {duration: 30d}}", "spec: {validity: {duration: 1w}}", "spec: {validity: {duration: '720'}}"},
	}, {
		constraint: constraint{credential, "spec.validity.duration", "maxLength"},
		accepted:   []string{"spec: {validity: {duration: " + zeros(28) + "720h}}"},
		rejected:   []string{"spec: {validity: {duration: " + zeros(29) + "720h}}"},
	}, {
		constraint: constraint{credential, "spec.validity.duration", validityRange},
		accepted:   []string{"spec: {validity: {duration: 20m}}", "spec: {validity: {duration: 1200s}}", "spec: {validity: {duration: 262800h}}"},
		rejected: []string{
			"spec: {validity: {duration: 19m59s}}",
			"spec: {validity: {duration: 0s}}",
			"spec: {validity: {duration: 262800h1s}}",
			"spec: {validity: {duration: 9999999999999h}}", // more than a duration can hold
		},
	}, {
		constraint: constraint{credential, "spec.renewal", "set at most one of before and beforePercent"},
		accepted:   []string{"spec: {renewal: {}}", "spec: {renewal: {before: 240h}}", "spec: {renewal: {beforePercent: 33}}"},
		rejected:   []string{"spec: {renewal: {before: 240h, beforePercent: 33}}"},
	}, {
		constraint: constraint{credential, "spec.renewal.policy", "enum"},
		accepted:   []string{"spec: {renewal: {policy: Automatic}}", "spec: {renewal: {policy: Manual}}"},
		rejected:   []string{"spec: {renewal: {policy: Never}}", "spec: {renewal: {policy: manual}}"},
	}, {
		constraint: constraint{credential, "spec.renewal.before", durationForm},
		accepted:   []string{"spec: {renewal: {before: 1h30m}}"},
		rejected:   []string{"spec: {renewal: {before: 10d}}"},
	}, {
		constraint: constraint{credential, "spec.renewal.before", writeHours},
		accepted:   []string{"spec: {renewal: {before: 240h}}"},
		rejected:   []string{"spec: {renewal: {before: 10d}}", "spec: {renewal: {before: '240'}}", "spec: {renewal: {before: ''}}"},
	}, {
		constraint: constraint{credential, "spec.renewal.before", "maxLength"},
		accepted:   []string{"spec: {renewal: {before: " + zeros(28) + "240h}}"},
		rejected:   []string{"spec: {renewal: {before: " + zeros(29) + "240h}}"},
	}, {
		constraint: constraint{credential, "spec.renewal.before", beforeRange},
		accepted:   []string{"spec: {renewal: {before: 1s}}", "spec: {renewal: {before: 262800h}}"},
		rejected:   []string{"spec: {renewal: {before: 0s}}", "spec: {renewal: {before: 0.999s}}", "spec: {renewal: {before: 262801h}}"},
	}, {
		constraint: constraint{credential, "spec.renewal.beforePercent", "write 1 to 89 (percent of the granted lifetime)"},
		accepted:   []string{"spec: {renewal: {beforePercent: 1}}", "spec: {renewal: {beforePercent: 89}}"},
		rejected: []string{
			"spec: {renewal: {beforePercent: 0}}",
			"spec: {renewal: {beforePercent: -1}}",
			"spec: {renewal: {beforePercent: 90}}",
			"spec: {renewal: {beforePercent: 4294967329}}", // 33 in 32 bits
		},
	}, {
		constraint: constraint{credential, "spec.renewal.windows", "maxItems"},
		accepted:   []string{"spec: {renewal: {windows: []}}", "spec: {renewal: {windows: [" + windows(8) + "]}}"},
		rejected:   []string{"spec: {renewal: {windows: [" + windows(9) + "]}}"},
	}, {
		constraint: constraint{credential, "spec.renewal.windows[0].schedule", "required"},
		accepted:   []string{window("schedule: '0 2 * * *', duration: 4h, timeZone: Asia/Shanghai")},
		rejected:   []string{window("duration: 4h")},
	}, {
		constraint: constraint{credential, "spec.renewal.windows[0].schedule", "maxLength"},
		accepted:   []string{window("duration: 4h, schedule: '0 2 * *" + strings.Repeat(" ", 92) + "*'")},
		rejected:   []string{window("duration: 4h, schedule: '0 2 * *" + strings.Repeat(" ", 93) + "*'")},
	}, {
		constraint: constraint{credential, "spec.renewal.windows[0].schedule", "write minute, hour, day of month, month and day of week, such as 0 2 * * 6, " +
			"or @hourly, @daily, @weekly, @monthly or @yearly; the time zone goes into timeZone"},
		accepted: []string{
			window("duration: 4h, schedule: '0 2 * * 6'"),
			window("duration: 4h, schedule: '*/15 1-3,22 ? JAN-mar Sun'"),
			window("duration: 4h, schedule: '0  2 * *   *'"),
			window("duration: 4h, schedule: '@hourly'"), window("duration: 4h, schedule: '@daily'"), window("duration: 4h, schedule: '@weekly'"),
			window("duration: 4h, schedule: '@monthly'"), window("duration: 4h, schedule: '@yearly'"),
			window("duration: 4h, schedule: '0 0 30 2 *'"), // never comes, which the condition Issued tells
		},
		rejected: []string{
			window("duration: 4h, schedule: ''"),
			window("duration: 4h, schedule: '2h'"),
			window("duration: 4h, schedule: '0 2 * *'"),
			window("duration: 4h, schedule: '0 0 2 * * *'"), // with seconds
			window("duration: 4h, schedule: ' 0 2 * * *'"),
			window("duration: 4h, schedule: '@every 1h'"),
			window("duration: 4h, schedule: '@reboot'"),
			window("duration: 4h, schedule: 'CRON_TZ=UTC 0 2 * * *'"),
			window("duration: 4h, schedule: 'TZ=UTC 0 2 * *'"),
			window("duration: 4h, schedule: TZ=0"),
			window("duration: 4h, schedule: \"0 2 * * *\\n\""),
		},
	}, {
		constraint: constraint{credential, "spec.renewal.windows[0].duration", "required"},
		accepted:   []string{window("schedule: '@daily', duration: 4h")},
		rejected:   []string{window("schedule: '@daily'")},
	}, {
		constraint: constraint{credential, "spec.renewal.windows[0].duration", durationForm},
		accepted:   []string{window("schedule: '@daily', duration: 1h30m")},
		rejected:   []string{window("schedule: '@weekly', duration: 2d")},
	}, {
		constraint: constraint{credential, "spec.renewal.windows[0].duration", writeHours},
		accepted:   []string{window("schedule: '@weekly', duration: 48h")},
		rejected:   []string{window("schedule: '@weekly', duration: 2d"), window("schedule: '@weekly', duration: '4'"), window("schedule: '@weekly', duration: ''")},
	}, {
		constraint: constraint{credential, "spec.renewal.windows[0].duration", "maxLength"},
		accepted:   []string{window("schedule: '@daily', duration: " + zeros(30) + "4h")},
		rejected:   []string{window("schedule: '@daily', duration: " + zeros(31) + "4h")},
	}, {
		constraint: constraint{credential, "spec.renewal.windows[0].duration", windowRange},
		accepted:   []string{window("schedule: '@daily', duration: 10m"), window("schedule: '@daily', duration: 168h")},
		rejected: []string{
			window("schedule: '@daily', duration: 9m59s"), window("schedule: '@daily', duration: 168h1s"),
			window("schedule: '@daily', duration: 9999999999999h"),
		},
	}, {
		constraint: constraint{credential, "spec.renewal.windows[0].timeZone", "maxLength"},
		accepted:   []string{window("schedule: '@daily', duration: 4h, timeZone: " + long(64))},
		rejected:   []string{window("schedule: '@daily', duration: 4h, timeZone: " + long(65))},
	}, {
		constraint: constraint{credential, "spec.renewal.windows[0].timeZone",
			"write a name of the IANA time zone database, such as Asia/Shanghai; for UTC leave it out"},
		accepted: []string{
			window("schedule: '@daily', duration: 4h, timeZone: UTC"),
			window("schedule: '@daily', duration: 4h, timeZone: America/Argentina/Buenos_Aires"),
			window("schedule: '@daily', duration: 4h, timeZone: Etc/GMT+8"),
			window("schedule: '@daily', duration: 4h, timeZone: Europe/Atlantis"), // not there, which the condition Issued tells
		},
		rejected: []string{
			window("schedule: '@daily', duration: 4h, timeZone: ''"),
			window("schedule: '@daily', duration: 4h, timeZone: Local"), // that of a machine
			window("schedule: '@daily', duration: 4h, timeZone: '+08:00'"),
			window("schedule: '@daily', duration: 4h, timeZone: ../../etc/passwd"),
			window("schedule: '@daily', duration: 4h, timeZone: Asia/"),
		},
	}, {
		constraint: constraint{credential, "spec.endpoint.access", "enum"},
		accepted:   []string{"spec: {endpoint: {access: Auto}}", "spec: {endpoint: {access: Internal}}", "spec: {endpoint: {access: External}}"},
		rejected:   []string{"spec: {endpoint: {access: Custom}}", "spec: {endpoint: {access: external}}", "spec: {endpoint: {access: ''}}"},
	}, {
		constraint: constraint{credential, "spec.endpoint.context", "minLength"},
		accepted:   []string{"spec: {endpoint: {context: customSAN-0}}"},
		rejected:   []string{"spec: {endpoint: {context: ''}}"},
	}, {
		constraint: constraint{credential, "spec.endpoint.context", "maxLength"},
		accepted:   []string{"spec: {endpoint: {context: " + long(128) + "}}"},
		rejected:   []string{"spec: {endpoint: {context: " + long(129) + "}}"},
	}, {
		constraint: constraint{credential, "spec.deletionPolicy", "enum"},
		accepted:   []string{"spec: {deletionPolicy: Retain}", "spec: {deletionPolicy: Delete}"},
		rejected:   []string{"spec: {deletionPolicy: Orphan}"},
	}}
}
