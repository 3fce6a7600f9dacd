package rpc_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// dice make messages of one tenant.
type dice struct {
	*rand.Rand
	pool   *pool
	tenant int
	// name stands in all that this tenant calls something.
	name string
	// hostile is how many values break rules on purpose, 0 to 1.
	hostile float64
}

// seldom are fields that change what a call does so much that most leave them out.
var seldom = map[protoreflect.Name]bool{
	"mutation": true, "as_of": true, "page": true, "etag": true, "validate_only": true, "token": true, "update_mask": true,
	"alert_percents": true, "alert_channel_ids": true, "weight": true, "retry": true, "when": true, "sticky": true, "hedge": true, "canary": true, "shadow": true, "filter": true, "order_by": true,
	"created_at": true, "revoked_at": true, "last_used_at": true, "suffix": true, "previous": true, "tokens": true, "last_raise": true, "current_window": true,
	"subject": true, "secret_set_at": true, "key_fingerprint": true, "sealed_credentials": true, "strategy": true, "api_version": true, "allowed_models": true, "proposed": true, "backoff": true, "break_even_percent": true,
}

// fill sets some of a message's fields.
func (d *dice) fill(m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	switch m.Descriptor().FullName() {
	case "google.protobuf.Timestamp":
		d.fillTime(m, time.Now().Unix(), 40*24*3600)
		return
	case "google.protobuf.Duration":
		d.fillTime(m, 0, 3600)
		return
	}
	for i := range fields.Len() {
		field := fields.Get(i)
		if one := field.ContainingOneof(); one != nil && !one.IsSynthetic() {
			if one.Fields().Get(0) != field {
				continue
			}
			field = one.Fields().Get(d.IntN(one.Fields().Len()))
		}
		chance := 0.95 - d.hostile
		if seldom[field.Name()] {
			chance = 0.2
		}
		if d.Float64() < chance && depth < 8 {
			d.set(m, field, depth)
		}
	}
	if d.hostile == 0 || d.IntN(2) == 0 {
		reconcile(m)
	}
}

// reconcile makes those fields of a route fit each other that would seldom do by chance.
func reconcile(m protoreflect.Message) {
	fields := m.Descriptor().Fields()
	if total := fields.ByName("total"); m.Descriptor().Name() == "Timeouts" {
		m.Clear(total) // the others are at most as long
	}
	sticky, strategy, hedge, targets := fields.ByName("sticky"), fields.ByName("strategy"), fields.ByName("hedge"), fields.ByName("targets")
	for name, fine := range map[protoreflect.Name]int32{"percentile": 95, "per_mille": 10} {
		if field := fields.ByName(name); field != nil && field.Kind() == protoreflect.Int32Kind {
			m.Set(field, protoreflect.ValueOfInt32(fine))
		}
	}
	if sticky == nil || strategy == nil || hedge == nil || targets == nil || targets.Message() == nil {
		return
	}
	if number := m.Get(strategy).Enum(); m.Has(sticky) != (number == 7) {
		m.Clear(sticky)
		if number == 7 {
			m.Clear(strategy)
		}
	}
	all := m.Mutable(targets).List()
	if m.Get(strategy).Enum() <= 1 {
		all.Truncate(min(1, all.Len()))
	}
	if all.Len() < 2 {
		m.Clear(hedge)
	}
	for i := range all.Len() {
		if m.Get(strategy).Enum() != 2 {
			all.Get(i).Message().Clear(targets.Message().Fields().ByName("weight"))
		}
	}
}

func (d *dice) set(m protoreflect.Message, field protoreflect.FieldDescriptor, depth int) {
	rules, _ := proto.GetExtension(field.Options(), validate.E_Field).(*validate.FieldRules)
	switch {
	case field.IsMap():
		for range d.several(30) {
			key := d.scalar(field.MapKey(), rules.GetMap().GetKeys()).MapKey()
			if field.MapValue().Message() != nil { // any JSON value
				m.Mutable(field).Map().Set(key, m.Mutable(field).Map().NewValue())
				continue
			}
			m.Mutable(field).Map().Set(key, d.scalar(field.MapValue(), rules.GetMap().GetValues()))
		}
	case field.IsList():
		list := m.Mutable(field).List()
		many := d.several(600)
		if limit := rules.GetRepeated().GetMaxItems(); d.hostile == 0 && limit > 0 {
			many = min(many, int(limit))
		}
		for range many {
			if field.Message() == nil {
				list.Append(d.scalar(field, rules.GetRepeated().GetItems()))
				continue
			}
			d.fill(list.AppendMutable().Message(), depth+1)
		}
	case field.Message() != nil:
		d.fill(m.Mutable(field).Message(), depth+1)
	default:
		m.Set(field, d.scalar(field, rules))
	}
}

// several is 1 to 3, or as many as nobody allows.
func (d *dice) several(many int) int {
	if d.Float64() < d.hostile/5 {
		return d.IntN(many * 2)
	}
	return 1 + d.IntN(3)
}

func (d *dice) scalar(field protoreflect.FieldDescriptor, rules *validate.FieldRules) protoreflect.Value {
	odd := d.Float64() < d.hostile
	number := int64(d.IntN(4))
	if odd {
		number = []int64{-1, math.MaxInt64, math.MinInt64, math.MaxInt32, math.MinInt32, 1e9}[d.IntN(6)]
	}
	switch field.Kind() {
	case protoreflect.StringKind:
		if odd {
			return protoreflect.ValueOfString(d.text())
		}
		return protoreflect.ValueOfString(d.fitting(field, rules.GetString()))
	case protoreflect.BytesKind:
		if length := rules.GetBytes().GetLen(); !odd && length > 0 {
			return protoreflect.ValueOfBytes(bytes.Repeat([]byte{byte(1 + d.IntN(8))}, int(length)))
		}
		return protoreflect.ValueOfBytes([]byte(d.text()))
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(d.IntN(2) == 0)
	case protoreflect.EnumKind:
		if odd {
			return protoreflect.ValueOfEnum(protoreflect.EnumNumber(number))
		}
		if in := rules.GetEnum().GetIn(); len(in) > 0 {
			return protoreflect.ValueOfEnum(protoreflect.EnumNumber(in[d.IntN(len(in))]))
		}
		values := field.Enum().Values()
		if field.Enum().Name() == "QuotaMode" && d.IntN(8) > 0 {
			// All that is built.
			return protoreflect.ValueOfEnum(values.ByName([]protoreflect.Name{"QUOTA_MODE_OFF", "QUOTA_MODE_HARD", "QUOTA_MODE_SHADOW"}[d.IntN(3)]).Number())
		}
		return protoreflect.ValueOfEnum(values.Get(d.IntN(values.Len())).Number())
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(int32(number))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(uint32(number))
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(uint64(number))
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64([]float64{1, 0.5, math.NaN(), math.Inf(1)}[d.IntN(4)])
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(float32(number))
	default:
		return protoreflect.ValueOfInt64(number)
	}
}

// fitting is a text that the rules allow, if one of ours does.
func (d *dice) fitting(field protoreflect.FieldDescriptor, rules *validate.StringRules) string {
	name := string(field.Name())
	switch {
	case name == "request_id":
		return "r" + strconv.Itoa(d.IntN(200))
	case rules.GetUuid() || name == "id" || strings.HasSuffix(strings.TrimSuffix(name, "s"), "_id"):
		return d.id(kindOf(field))
	case name == "etag":
		return strconv.Itoa(d.IntN(300))
	case name == "token" || name == "page_token":
		return d.pageToken()
	case name == "filter":
		return []string{d.name, "NOT name = a*", "created_at > 2026-01-01 OR id:*", "name:" + d.name + " AND -name = b", "labels.a = b", "id = " + d.id("Key")}[d.IntN(6)]
	case name == "order_by":
		return []string{"name", "created_at desc", "name desc, created_at"}[d.IntN(3)]
	case name == "paths":
		return []string{"name", "display_name", "*", "targets", "route_ids", "labels", "base_url", "region", "role"}[d.IntN(9)]
	}
	number := strconv.Itoa(d.IntN(100))
	for _, hint := range [][2]string{
		{"url", "https://" + d.name + number + ".example/v1"}, {"credential", "env://" + d.name}, {"email", "owner" + number + "@" + d.name + ".example"},
		{"domain", d.name + number + ".example"}, {"sql", "SELECT " + number}, {"time_zone", "Europe/Berlin"}, {"price_list", "openai"},
		{"when", "tokens > " + number}, {"api_version", "2024-10-21"}, {"header", "X-Session"}, {"secret", webhookSecret(d.name)}, {"input", "1." + number}, {"output", "2." + number}, {"cache", "0." + number},
	} {
		if strings.Contains(name, hint[0]) && d.IntN(10) > 0 {
			return hint[1]
		}
	}
	if plain := d.name + "-" + number; fits(plain, rules) && d.IntN(3) > 0 {
		return plain
	}
	ours := []string{d.name + " " + number, "env://" + d.name, "https://" + d.name + ".example", "", d.name + "é😀" + number}
	for range 30 {
		text := ours[d.IntN(len(ours))]
		if fits(text, rules) {
			return text
		}
	}
	return d.name
}

func fits(text string, rules *validate.StringRules) bool {
	n := uint64(utf8.RuneCountInString(text))
	if n < rules.GetMinLen() || rules.GetMaxLen() > 0 && n > rules.GetMaxLen() {
		return false
	}
	ok, err := regexp.MatchString(rules.GetPattern(), text)
	return ok && err == nil
}

// kindOf is which resource an id names: "Project" for project_id, allowed_project_ids
// and the id of GetProjectRequest.
func kindOf(field protoreflect.FieldDescriptor) string {
	name := strings.TrimSuffix(strings.TrimSuffix(string(field.Name()), "s"), "id")
	if name == "" && (strings.Contains(string(field.Parent().Name()), "Quota") || strings.Contains(string(field.Parent().Name()), "Lease")) {
		return "Budget" // one of the two that have an id of QuotaService
	}
	if name == "" {
		return strings.TrimSuffix(string(field.Parent().Name()), "Request")
	}
	var kind strings.Builder
	for part := range strings.SplitSeq(name, "_") {
		if part != "" {
			kind.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return kind.String()
}

func (d *dice) fillTime(m protoreflect.Message, begin, span int64) {
	seconds, nanos := begin+d.Int64N(span), d.Int32N(1e9)
	if d.Float64() < d.hostile {
		seconds = []int64{0, -1, 253402300799, 253402300800, -62135596800, -62135596801, math.MaxInt64, math.MinInt64, 315576000001}[d.IntN(9)]
		nanos = []int32{0, -1, 999999999, 1000000000, math.MaxInt32, math.MinInt32}[d.IntN(6)]
	}
	m.Set(m.Descriptor().Fields().ByName("seconds"), protoreflect.ValueOfInt64(seconds))
	m.Set(m.Descriptor().Fields().ByName("nanos"), protoreflect.ValueOfInt32(nanos))
}

// text is what people and programs send by mistake or on purpose.
func (d *dice) text() string {
	texts := []string{
		"", " ", "\x00", "a\x00b", "\n", "\\", `"`, "'; DROP TABLE key; --", "%", "_", "$0", "$99", "../../etc/passwd", "\u202e", "\ufeff", "\ufffd", "null", "-0", "1e400",
		"https://[::1", "http://user:password@host/", "file:///\u0001", "env://", strings.Repeat("a", 64), strings.Repeat("é", 3000), strings.Repeat("x", 200_000),
		"00000000-0000-0000-0000-000000000000", "{00000000-0000-0000-0000-000000000001}", "urn:uuid:00000000-0000-0000-0000-000000000001", "not-a-uuid", "@", "a@b@c", ".", "xn--", "Ａ",
	}
	if d.IntN(4) > 0 {
		return texts[d.IntN(len(texts))]
	}
	random := make([]rune, d.IntN(40))
	for i := range random {
		random[i] = rune(d.IntN(0x3000))
	}
	return string(random)
}

// spoil breaks the form of a message.
func (d *dice) spoil(encoding string, body []byte) []byte {
	body = bytes.Clone(body)
	switch d.IntN(6) {
	case 0:
		return body[:d.IntN(len(body)+1)]
	case 1:
		for range 1 + d.IntN(4) {
			if len(body) > 0 {
				body[d.IntN(len(body))] = byte(d.IntN(256))
			}
		}
		return body
	case 2:
		at := d.IntN(len(body) + 1)
		return append(body[:at:at], append([]byte(d.text()), body[at:]...)...)
	case 3:
		random := make([]byte, d.IntN(300))
		for i := range random {
			random[i] = byte(d.IntN(256))
		}
		return append(body, random...)
	case 4:
		if encoding == "proto" {
			return bytes.Repeat([]byte{0x0b}, d.IntN(50_000)) // groups in groups
		}
		return []byte(strings.Repeat(`{"mutation":`, d.IntN(50_000)))
	default:
		return []byte([]string{"null", "[]", "1", `""`, "{}", `{"name":"\ud800"}`, `{"name":"\u0000"}`, `{"id":1e400}`, `{"name":"a","name":"b"}`, "\xff\xfe", "{\"name\":\"\xff\"}"}[d.IntN(11)])
	}
}
