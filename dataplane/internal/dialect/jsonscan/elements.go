package jsonscan

// Elements visits the elements of the array in value, each with its offset, while visit
// wants more. It stops at the first that is no JSON; what is no array has none.
func Elements(value []byte, visit func(element []byte, at int) (more bool)) {
	s := scanner{text: value, depth: 1}
	s.space()
	if !s.take('[') {
		return
	}
	for {
		s.space()
		at := s.pos
		if !s.value() || !visit(value[at:s.pos], at) {
			return
		}
		if s.space(); !s.take(',') {
			return
		}
	}
}
