package control

// LoadPolicy serves the newest valid policy on disk, that of the seed among them, and
// tells whether there was one. It calls nobody.
func (c *Client) LoadPolicy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.serving != nil {
		return true
	}
	valid, revoked := c.stored()
	c.recall(valid, revoked)
	for _, found := range valid {
		file := found.file
		own := file.revoked
		file.revoked = larger(own, revoked)
		err := servable(file.header)
		if err == nil {
			err = c.swap(file, nil)
		}
		if err != nil {
			c.config.Log.Error("stored policy is not used", "path", found.path, "error", err)
			c.unused = err
			continue
		}
		if found.slot != noSlot {
			c.slots.active = found.slot
			c.fresh.Store(found.confirmed.UnixMilli())
		}
		c.unstored = found.slot == noSlot || file.revoked != own
		c.learn(file)
		c.keep()
		c.config.Log.Info("serving the stored policy", "path", found.path, "epoch", file.header.GetEpoch(), "version", file.header.GetVersion(),
			"revocation_version", file.revoked.version(), "confirmed_at", found.confirmed)
		return true
	}
	return false
}

// recall learns from the slots what the memory may not have: a build before this one
// kept none.
func (c *Client) recall(valid []loaded, revoked *signedSet) {
	if revoked != nil {
		c.remember(takenBy(revoked.set))
	}
	for i, found := range valid {
		var before *policyFile
		if i+1 < len(valid) {
			before = valid[i+1].file // newest first
		}
		c.remember(takenBetween(before, found.file))
	}
}

func (c *Client) remember(all []taken) (news bool) {
	news, err := c.memory.add(all)
	if err != nil {
		c.config.Log.Error("revoked keys are refused, but a restart may not remember all", "error", err)
	}
	return news
}
