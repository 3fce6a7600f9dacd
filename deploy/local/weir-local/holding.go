package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/weirhq/weir/deploy/local/file"
)

// holding says which parts' data the folder of runs holds, so that none is made anew without a word when it was emptied, or
// taken for ours when it was swapped. Its id is also in a file of each part's folder.
type holding struct {
	dir string
	mu  sync.Mutex

	ID string `json:"id"`
	// Parts has, by part, a file or filled folder below its folder that was there when the part first answered; "" when there was none.
	// By part and a slash it has another one.
	Parts map[string]string `json:"parts"`
}

const (
	holdingFile = "holds.json"
	markFile    = "weir-data-id"
)

type dataPart struct {
	name, variable string // of the port, which tells whether the part is external
	evidence       string // below its folder
	also           string // below its folder, too, if it was there when the part first answered; empty: nothing
	loss           string
}

var dataParts = []dataPart{
	{"postgres", "POSTGRES", "data/PG_VERSION", "", "organizations, routes, keys and logins"},
	{"kafka", "KAFKA", "data/partitions", "", "usage that is on its way to ClickHouse"},
	{"clickhouse", "CLICKHOUSE_TCP", "data", "", "every request recorded so far"},
	{"agent", "AGENT", "identity/identity.json", "spool", "its identity and usage that it has not sent yet"},
}

// openHolding reads what the folder holds and refuses to go on when something of it is not there. A folder from before there
// was a holding is taken as it is if its first start never ended, or if all parts are there.
func openHolding(s settings) (*holding, error) {
	h := &holding{dir: s.dir, ID: file.NewSecret(), Parts: map[string]string{}}
	text, err := os.ReadFile(filepath.Join(s.dir, holdingFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		h.assume()
	case err != nil:
		return nil, fmt.Errorf("read what the data folder holds: %w", err)
	default:
		if err := json.Unmarshal(text, h); err != nil {
			return nil, fmt.Errorf("%s is damaged (%w): restore it, or `make clean-local` to begin anew", filepath.Join(s.dir, holdingFile), err)
		}
	}
	var faults []error
	for _, p := range dataParts {
		if s.uses(p.variable) {
			faults = append(faults, h.check(p))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("%w\nNothing was started. Restore what is named above, or `make clean-local` to begin anew with nothing", err)
	}
	return h, nil
}

// assume expects every part where a start once came to its end, and gives those that are there our mark.
func (h *holding) assume() {
	if !exists(filepath.Join(h.dir, "demo.json")) {
		return
	}
	for _, p := range dataParts {
		h.Parts[p.name] = p.evidence
		if exists(filepath.Join(h.dir, p.name, p.evidence)) {
			_ = h.mark(p.name) // one that can't be written is found missing
		}
	}
}

func (h *holding) check(p dataPart) error {
	folder := filepath.Join(h.dir, p.name)
	evidence, held := h.Parts[p.name]
	raw, err := os.ReadFile(filepath.Join(folder, markFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look for the data of %s: %w", p.name, err)
	}
	mark := strings.TrimSpace(string(raw))
	needs := []string{evidence}
	if also, ok := h.Parts[p.name+"/"]; ok {
		needs = append(needs, also)
	}
	for _, needed := range needs {
		if held && (mark == "" || !exists(filepath.Join(folder, needed))) {
			return fmt.Errorf("the data of %s is missing: %s was emptied, or is gone, since the last run. Starting with an empty one would lose %s, "+
				"which other parts still refer to", p.name, filepath.Join(folder, needed), p.loss)
		}
	}
	if held && mark != h.ID {
		return fmt.Errorf("the data of %s is of another data folder: %s does not belong to the other parts here, which lost %s", p.name, folder, p.loss)
	}
	return nil
}

// record notes that a part has data here, once it answers for the first time.
func (h *holding) record(part string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range dataParts {
		if p.name != part {
			continue
		}
		if err := h.mark(part); err != nil {
			return err
		}
		if exists(filepath.Join(h.dir, part, p.evidence)) {
			h.Parts[part] = p.evidence
		} else {
			h.Parts[part] = ""
		}
		if p.also != "" && exists(filepath.Join(h.dir, part, p.also)) {
			h.Parts[part+"/"] = p.also
		}
		return h.save()
	}
	return nil
}

func (h *holding) mark(part string) error {
	folder := filepath.Join(h.dir, part)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("mark the data of %s: %w", part, err)
	}
	return file.Replace(filepath.Join(folder, markFile), h.ID+"\n", 0o600)
}

func (h *holding) save() error {
	text, err := json.MarshalIndent(h, "", "  ")
	if err != nil {
		return fmt.Errorf("encode what the data folder holds: %w", err)
	}
	return file.Replace(filepath.Join(h.dir, holdingFile), string(text)+"\n", 0o600)
}

// exists is false for an empty folder, too.
func exists(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return err == nil
	}
	entries, err := os.ReadDir(path)
	return err == nil && len(entries) > 0
}
