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
