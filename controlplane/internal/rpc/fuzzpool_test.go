package rpc_test

import (
	"bytes"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"

	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// nobody is the operator, who may see every tenant.
const nobody = -1

var uuids = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// pool is what every caller learned from answers: which ids there are, of which
// kind ("Project"), and whose.
type pool struct {
	mu     sync.Mutex
	names  []string
	ids    []map[string][]string
	owner  map[string]int
	kept   map[string]bool
	tokens []string
}

func newPool(names ...string) *pool {
	p := &pool{names: names, owner: map[string]int{}, kept: map[string]bool{}}
	for range names {
		p.ids = append(p.ids, map[string][]string{})
	}
	return p
}

// dice of a tenant.
func (p *pool) dice(tenant int, seed uint64) *dice {
	name := "operator"
	if tenant != nobody {
		name = p.names[tenant]
	}
	return &dice{Rand: rand.New(rand.NewPCG(seed, 0)), pool: p, tenant: tenant, name: name}
}

// keep takes ids out of the game.
func (p *pool) keep(ids ...string) {
	for _, id := range ids {
		p.kept[id] = true
	}
}

// learn remembers the ids and page tokens of an answer.
func (d *dice) learn(kind protoreflect.MessageDescriptor, encoding string, answer []byte) {
	message := dynamicpb.NewMessage(kind)
	unmarshal := proto.Unmarshal
	if encoding == "json" {
		unmarshal = protojson.Unmarshal
	}
	if unmarshal(answer, message) != nil || d.tenant == nobody {
		return
	}
	d.pool.mu.Lock()
	defer d.pool.mu.Unlock()
	d.pool.note(d.tenant, message)
}

func (p *pool) note(tenant int, message protoreflect.Message) {
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.Message() != nil && field.IsList():
			for i := range value.List().Len() {
				p.note(tenant, value.List().Get(i).Message())
			}
		case field.Message() != nil && !field.IsMap():
			p.note(tenant, value.Message())
		case field.Name() == "id":
			p.add(tenant, string(message.Descriptor().Name()), value.String())
		case field.Name() == "next_page_token" && len(p.tokens) < 1000:
			p.tokens = append(p.tokens, value.String())
		}
		return true
	})
}

func (p *pool) add(tenant int, kind, id string) {
	if _, known := p.owner[id]; known || p.kept[id] || !uuids.MatchString(id) {
		return
	}
	p.owner[id] = tenant
	p.ids[tenant][kind] = append(p.ids[tenant][kind], id)
}

// id is mostly the newest of the tenant's own that fit; some are older, of another
// kind, of the other tenant, or of nobody.
func (d *dice) id(kind string) string {
	d.pool.mu.Lock()
	defer d.pool.mu.Unlock()
	whose := d.tenant
	if whose == nobody || d.IntN(8) == 0 {
		whose = d.IntN(len(d.pool.ids))
	}
	var fit []string
	for known, ids := range d.pool.ids[whose] {
		if strings.HasSuffix(kind, known) || d.hostile > 0 && d.IntN(20) == 0 {
			fit = append(fit, ids[max(0, len(ids)-20):]...)
		}
	}
	if len(fit) == 0 {
		return uuid.NewString()
	}
	return fit[d.IntN(len(fit))]
}

// pageToken is one that some list gave, to whomever.
func (d *dice) pageToken() string {
	d.pool.mu.Lock()
	defer d.pool.mu.Unlock()
	if len(d.pool.tokens) == 0 {
		return ""
	}
	return d.pool.tokens[d.IntN(len(d.pool.tokens))]
}

// leaked is what an answer says of the other tenant that was not asked in.
func (d *dice) leaked(asked, answer []byte) string {
	if d.tenant == nobody {
		return ""
	}
	d.pool.mu.Lock()
	defer d.pool.mu.Unlock()
	for i, name := range d.pool.names {
		if i != d.tenant && bytes.Contains(answer, []byte(name)) && !bytes.Contains(asked, []byte(name)) {
			return name
		}
	}
	for _, id := range uuids.FindAll(answer, -1) {
		if owner, known := d.pool.owner[string(id)]; known && owner != d.tenant && !bytes.Contains(asked, id) {
			return string(id)
		}
	}
	return ""
}
