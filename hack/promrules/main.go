// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Command promrules writes what promtool can read: the rules of config/prometheus/rules.yaml, which is an object of the Prometheus
// operator, and the expressions of the dashboards in config/grafana, as if each were a recording rule.
//
//	go run ./hack/promrules DIRECTORY
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"sigs.k8s.io/yaml"
)

func main() {
	if err := write(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "promrules:", err)
		os.Exit(1)
	}
}

func write(args []string) error {
	if len(args) != 1 {
		return errors.New("name the directory to write into")
	}
	rules, err := alerts("config/prometheus/rules.yaml")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(args[0], "rules.yaml"), rules, 0o600); err != nil {
		return err
	}
	dashboards, err := filepath.Glob("config/grafana/*.json")
	if err != nil || len(dashboards) == 0 {
		return errors.Join(errors.New("no dashboards in config/grafana"), err)
	}
	for _, file := range dashboards {
		text, err := expressions(file)
		if err != nil {
			return err
		}
		name := strings.TrimSuffix(filepath.Base(file), ".json") + ".yaml"
		if err := os.WriteFile(filepath.Join(args[0], name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// alerts is the spec of a PrometheusRule, which has the form of Prometheus' own files.
func alerts(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var object struct {
		Spec map[string]any `json:"spec"`
	}
	if err := yaml.Unmarshal(text, &object); err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	return yaml.Marshal(object.Spec)
}

// panel is what is looked at of a panel, or of a row with more of them.
type panel struct {
	Targets []struct {
		Expr string `json:"expr"`
	} `json:"targets"`
	Panels []panel `json:"panels"`
}

type rule struct {
	Record string `json:"record"`
	Expr   string `json:"expr"`
}

// interval stands for the time that Grafana puts in, and anything for what somebody has chosen there.
var (
	interval = regexp.MustCompile(`\$__(rate_interval|interval|range)`)
	anything = regexp.MustCompile(`\$\{?\w+\}?`)
)

// expressions are those of a dashboard.
func expressions(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var dashboard panel
	if err := json.Unmarshal(text, &dashboard); err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	var rules []rule
	var gather func(panel)
	gather = func(p panel) {
		for _, target := range p.Targets {
			expr := anything.ReplaceAllString(interval.ReplaceAllString(target.Expr, "5m"), ".*")
			rules = append(rules, rule{Record: fmt.Sprintf("dashboard:expression_%d", len(rules)), Expr: expr})
		}
		for _, inner := range p.Panels {
			gather(inner)
		}
	}
	gather(dashboard)
	if len(rules) == 0 {
		return nil, fmt.Errorf("%s shows nothing", file)
	}
	return yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": rules}}})
}
