package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/weirhq/weir/deploy/local/fetch"
	"github.com/weirhq/weir/deploy/local/file"
)

// port is one that the stack listens on, on 127.0.0.1.
type port struct {
	variable string // after WEIR_PORT_
	fallback int
	what     string
}

var allPorts = []port{
	{"CONTROL", 8080, "control plane and console"},
	{"AGENT", 8090, "agent"},
	{"ADMIN", 8091, "metrics and profiles of the agent"},
	{"OIDC", 8092, "login provider"},
	{"MOCK", 8093, "mock upstream"},
	{"KAFKA", 8094, "Kafka"},
	{"CLICKHOUSE_HTTP", 8123, "ClickHouse over HTTP"},
	{"POSTGRES", 8432, "PostgreSQL"},
	{"CLICKHOUSE_TCP", 8900, "ClickHouse's native protocol"},
}

// settings is what the environment says about a run.
type settings struct {
	root     string         // of the repository
	dir      string         // where everything of this run is kept
	cache    string         // engines and built binaries
	ports    map[string]int // by the names of allPorts
	external external
}

// external names what is used instead of starting it; "" starts it.
type external struct {
	postgres, kafka, clickhouse, clickhouseReport, oidc, mock string
}

func readSettings() (settings, error) {
	root, err := file.RepositoryRoot()
	if err != nil {
		return settings{}, err
	}
	cache, cacheErr := fetch.CacheDir(root)
	dir, dirErr := localDir(root)
	ports, portsErr := readPorts()
	ext, extErr := readExternal()
	if err := errors.Join(cacheErr, dirErr, portsErr, extErr); err != nil {
		return settings{}, err
	}
	return settings{root: root, dir: dir, cache: cache, ports: ports, external: ext}, nil
}

func localDir(root string) (string, error) {
	dir := os.Getenv("WEIR_LOCAL_DIR")
	if dir == "" {
		dir = filepath.Join(root, ".weir", "local")
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("WEIR_LOCAL_DIR: %w", err)
	}
	return abs, nil
}

func readPorts() (map[string]int, error) {
	ports, owners := map[string]int{}, map[int]string{}
	var faults []error
	for _, p := range allPorts {
		name, n := "WEIR_PORT_"+p.variable, p.fallback
		if text := os.Getenv(name); text != "" {
			var err error
			if n, err = strconv.Atoi(text); err != nil || n < 1 || n > 65535 {
				faults = append(faults, fmt.Errorf("%s=%q is not a port: want 1 to 65535", name, text))
				continue
			}
		}
		if other, ok := owners[n]; ok {
			faults = append(faults, fmt.Errorf("%s and %s are both %d", other, name, n))
		}
		owners[n], ports[p.variable] = name, n
	}
	return ports, errors.Join(faults...)
}

func readExternal() (external, error) {
	ext := external{kafka: kafkaBrokers(os.Getenv("WEIR_EXTERNAL_KAFKA_URL"))}
	var faults []error
	for _, e := range []struct {
		name    string
		target  *string
		schemes string
	}{
		{"POSTGRES", &ext.postgres, "postgres postgresql"},
		{"CLICKHOUSE", &ext.clickhouse, "clickhouse http https"},
		{"CLICKHOUSE_REPORT", &ext.clickhouseReport, "clickhouse http https"},
		{"OIDC", &ext.oidc, "http https"},
		{"MOCK", &ext.mock, "http https"},
	} {
		name := "WEIR_EXTERNAL_" + e.name + "_URL"
		text := os.Getenv(name)
		if text == "" {
			continue
		}
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || !strings.Contains(" "+e.schemes+" ", " "+u.Scheme+" ") {
			faults = append(faults, fmt.Errorf("%s is not a URL with one of the schemes %q", name, e.schemes)) // not shown: it may hold a password
			continue
		}
		*e.target = strings.TrimRight(text, "/")
	}
	if ext.clickhouse != "" && ext.clickhouseReport == "" {
		faults = append(faults, errors.New("WEIR_EXTERNAL_CLICKHOUSE_URL needs WEIR_EXTERNAL_CLICKHOUSE_REPORT_URL too: "+
			"a user there that may read the public views of database weir only (deploy/local/engine/clickhouse/users.xml.tmpl shows its rights)"))
	}
	return ext, errors.Join(faults...)
}

// kafkaBrokers takes kafka://host:port,host:port or the bare list.
func kafkaBrokers(text string) string {
	return strings.TrimRight(strings.TrimPrefix(text, "kafka://"), "/")
}

// uses is false for ports of parts that are external.
func (s settings) uses(variable string) bool {
	switch variable {
	case "POSTGRES":
		return s.external.postgres == ""
	case "KAFKA":
		return s.external.kafka == ""
	case "CLICKHOUSE_HTTP", "CLICKHOUSE_TCP":
		return s.external.clickhouse == ""
	case "OIDC":
		return s.external.oidc == ""
	case "MOCK":
		return s.external.mock == ""
	}
	return true
}

func (s settings) embedsEngines() bool {
	return s.external.postgres == "" || s.external.kafka == "" || s.external.clickhouse == ""
}

func (s settings) address(variable string) string {
	return fmt.Sprintf("127.0.0.1:%d", s.ports[variable])
}

func (s settings) url(variable string) string { return "http://" + s.address(variable) }
