// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	lua "github.com/yuin/gopher-lua"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// argoDir holds what users of Argo CD paste.
const argoDir = "../../config/gitops/argocd/"

// What Argo CD calls the health of an object.
const (
	healthy     = "Healthy"
	progressing = "Progressing"
	degraded    = "Degraded"
	suspended   = "Suspended"
)

func TestArgoCDIsNotMisled(t *testing.T) {
	for name, s := range situations() {
		t.Run(name, func(t *testing.T) { wantHealth(t, s.object(), s.argo) })
	}
	t.Run("before the first pass", func(t *testing.T) { wantHealth(t, unseen(), progressing) })
	t.Run("without any status", func(t *testing.T) {
		wantHealth(t, &v1alpha1.ClusterCredential{ObjectMeta: metav1.ObjectMeta{Generation: 1}}, progressing)
	})
	t.Run("with a newer spec", func(t *testing.T) {
		newer := situation{facts: settled()}.object()
		newer.Generation++
		wantHealth(t, newer, progressing)
	})
}

func TestArgoCDReadsAccounts(t *testing.T) {
	for _, test := range []struct {
		value  metav1.ConditionStatus
		reason v1alpha1.Reason
		want   string
	}{
		{metav1.ConditionTrue, v1alpha1.ReasonValid, healthy},
		{metav1.ConditionFalse, v1alpha1.ReasonUnavailable, progressing},
		{metav1.ConditionFalse, v1alpha1.ReasonUnauthorized, degraded},
	} {
		for _, account := range accounts(test.value, test.reason) {
			wantHealth(t, account, test.want)
		}
	}
	wantHealth(t, &v1alpha1.CloudAccount{Spec: v1alpha1.CloudAccountSpec{Suspend: true}}, suspended)
}

// What comes by itself is Progressing, and where somebody has to act it is Degraded: as the page of the reasons sorts them.
func TestArgoCDAndThePageAgreeOnWhatComesByItself(t *testing.T) {
	page, err := os.ReadFile("../../docs/conditions.md")
	if err != nil {
		t.Fatal(err)
	}
	for heading, want := range map[string]string{
		"On its way": progressing, "Look, then let go or undo": degraded, "You have to act": degraded,
	} {
		reasons := reasonsBelow(t, string(page), "\n### "+heading+"\n")
		for _, reason := range reasons {
			s := situation{facts: settled(empty, due(v1alpha1.TriggerFirst), failed(v1alpha1.Reason(reason)))}
			if ready := s.object().Status.Conditions; !slices.ContainsFunc(ready, func(c metav1.Condition) bool {
				return c.Type == v1alpha1.ConditionReady && c.Reason == reason
			}) {
				t.Fatalf("Ready does not say %s: %v", reason, ready)
			}
			wantHealth(t, s.object(), want)
		}
	}
}

func reasonsBelow(t *testing.T, page, heading string) (reasons []string) {
	t.Helper()
	_, section, found := strings.Cut(page, heading)
	section, _, _ = strings.Cut(section, "\n##")
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Za-z]+)` \\|").FindAllStringSubmatch(section, -1) {
		reasons = append(reasons, row[1])
	}
	if !found || len(reasons) == 0 {
		t.Fatalf("there are no reasons below %q", heading)
	}
	return reasons
}

// Users paste argocd-cm.yaml. It holds the files beside it, as they are tried here.
func TestTheConfigMapHoldsTheScripts(t *testing.T) {
	cm := &corev1.ConfigMap{}
	if err := yaml.UnmarshalStrict([]byte(argoFile(t, "argocd-cm.yaml")), cm); err != nil {
		t.Fatal(err)
	}
	const custom, group = "resource.customizations.", ".clustercredential.dev_"
	for _, kind := range []string{"ClusterCredential", "CloudAccount", "ClusterCloudAccount"} {
		if cm.Data[custom+"health"+group+kind] != argoFile(t, "health.lua") {
			t.Errorf("argocd-cm.yaml has another health check for %s than health.lua: paste it there", kind)
		}
	}
	var actions struct {
		Discovery   string `json:"discovery.lua"`
		Definitions []struct {
			Name   string `json:"name"`
			Action string `json:"action.lua"`
		} `json:"definitions"`
	}
	if err := yaml.UnmarshalStrict([]byte(cm.Data[custom+"actions"+group+"ClusterCredential"]), &actions); err != nil {
		t.Fatal(err)
	}
	if actions.Discovery != argoFile(t, "renew-discovery.lua") || len(actions.Definitions) != 1 ||
		actions.Definitions[0].Name != "renew" || actions.Definitions[0].Action != argoFile(t, "renew.lua") {
		t.Errorf("argocd-cm.yaml has other actions than renew-discovery.lua and renew.lua: %+v", actions)
	}
	if len(cm.Data) != 4 {
		t.Errorf("argocd-cm.yaml has %d keys, want 4", len(cm.Data))
	}
}

func argoFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(argoDir + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func wantHealth(t *testing.T, object any, want string) {
	t.Helper()
	health := healthOf(t, object)
	if health.Status != want {
		t.Errorf("Argo CD says of %T %s (%s), want %s", object, health.Status, health.Message, want)
	}
	if health.Message == "" {
		t.Errorf("Argo CD says of %T %s, and not why", object, health.Status)
	}
}

type health struct{ Status, Message string }

// healthOf runs health.lua as Argo CD does (util/lua): with three libraries, within a second.
func healthOf(t *testing.T, object any) health {
	t.Helper()
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{
		lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable,
	} {
		if err := state.CallByParam(lua.P{Fn: state.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	state.SetContext(ctx)
	text, err := json.Marshal(generic(t, object))
	if err != nil {
		t.Fatal(err)
	}
	var plain any
	if err := json.Unmarshal(text, &plain); err != nil {
		t.Fatal(err)
	}
	state.SetGlobal("obj", inLua(state, plain))
	if err := state.DoString(argoFile(t, "health.lua")); err != nil {
		t.Fatal(err)
	}
	answer, isTable := state.Get(-1).(*lua.LTable)
	if !isTable {
		t.Fatal("health.lua returns no table")
	}
	return health{answer.RawGetString("status").String(), answer.RawGetString("message").String()}
}

// inLua is what JSON decodes to, in Lua.
func inLua(state *lua.LState, value any) lua.LValue {
	switch v := value.(type) {
	case string:
		return lua.LString(v)
	case float64:
		return lua.LNumber(v)
	case bool:
		return lua.LBool(v)
	case []any:
		table := state.NewTable()
		for _, item := range v {
			table.Append(inLua(state, item))
		}
		return table
	case map[string]any:
		table := state.NewTable()
		for key, item := range v {
			table.RawSetString(key, inLua(state, item))
		}
		return table
	default:
		return lua.LNil
	}
}
