package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// refusedPolicy is kept beside the slots, so that a restarted agent is not sent again
// what it can't serve.
type refusedPolicy struct {
	Root    []byte   `json:"root"`
	Version int64    `json:"version"`
	Reasons []string `json:"reasons"`
	// Build that refused it: another one may serve it.
	Build string `json:"build"`
}

func (c *Client) refusedPath() string { return filepath.Join(c.config.StateDir, "policy", "refused") }

func (c *Client) build() string { return c.config.Version + " " + c.config.Build }

// reject has the control plane not send this policy again.
func (c *Client) reject(header *policyv1.Release, why error) {
	c.rejected = header.GetRoot()
	content, err := json.Marshal(refusedPolicy{Root: c.rejected, Version: header.GetVersion(), Reasons: reasonsOf(why), Build: c.build()})
	if err == nil {
		err = writeFile(c.refusedPath(), content)
	}
	if err != nil {
		c.config.Log.Warn("what was refused is not stored; a restart would look at it again", "error", err)
	}
}

// Unserved says why nothing is served although a policy came or is stored, and what to do;
// nil: one is served, or there is none.
func (c *Client) Unserved() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	reasons := c.reasons
	if len(reasons) == 0 {
		reasons = reasonsOf(c.unused)
	}
	if c.serving != nil || len(reasons) == 0 {
		return nil
	}
	more := ""
	if n := len(reasons) - 1; n > 0 {
		more = fmt.Sprintf(" (and %d more)", n)
	}
	return fmt.Errorf("a policy was refused and there is no other to serve: %s%s; correct what this names, in the gateway's configuration or in the agent's",
		reasons[0], more)
}

// accept forgets what was refused.
func (c *Client) accept() {
	if c.rejected == nil {
		return
	}
	c.rejected = nil
	if err := os.Remove(c.refusedPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.config.Log.Warn("what was refused before is still stored", "error", err)
	}
}

// recallRefused reads what this build refused before the restart. What can't be read, or
// what another build refused, is looked at again.
func (c *Client) recallRefused() {
	content, err := os.ReadFile(c.refusedPath())
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var refused refusedPolicy
	if err == nil {
		err = json.Unmarshal(content, &refused)
	}
	if err != nil {
		c.config.Log.Warn("what was refused before is not known", "error", fmt.Errorf("read %s: %w", c.refusedPath(), err))
		return
	}
	if c.rejected, c.reasons = refused.Root, refused.Reasons; refused.Build != c.build() {
		c.accept()
		c.reasons = nil
	}
}
