package bwe

// Paused is the layer of a consumer that is sent nothing.
const Paused = -1

// upMargin is what has to be to spare, as a share of a layer's bitrate, before
// a consumer gets a higher layer than it has. Without it estimate and bitrates,
// which are never still, would have it change layers all the time, each time
// for a keyframe.
const upMargin = 0.08

// switchMargin is the same for a layer that begins with a keyframe. That takes as
// much as six other frames and more, so a queue grows for a while, for which the
// estimate is reduced to 85 %: what is left has to be enough for the layer still.
const switchMargin = 0.25

// Demand is what one consumer asks of the bandwidth.
type Demand struct {
	// Layers has the bitrate of each choice, what it builds on included, from
	// the least on. A choice with 0 does not arrive, or is not known yet, and
	// is left out.
	Layers []Bitrate
	// Preferred is the highest choice that the receiver wants; Paused: none.
	Preferred int
	// Current is the choice that is being sent, or Paused.
	Current int
	// Encoding is how many choices each encoding of simulcast has, from one to
	// another of which a keyframe leads; 0: none is needed.
	Encoding int
	// Priority: the higher ones are served first.
	Priority uint8
	// Essential has it keep its lowest layer however little there is: a shared
	// screen, say. (What audio takes is not divided at all, see Allocate.)
	Essential bool
}

// Allocation is the sum of what was chosen.
type Allocation struct {
	Used   Bitrate // by what was chosen, what was reserved included
	Wanted Bitrate // if every consumer had what it prefers
	// Next is what the estimate would have to be for somebody to get a higher
	// layer; 0 if everybody has what it prefers.
	Next Bitrate
}

// Allocate divides an estimate: chosen[i], of as many as there are demands, is
// set to the choice for demands[i]. reserved is taken off first: audio, which
// is never divided, and what else is sent beside the consumers asked about.
//
//   - Every consumer gets its lowest layer before one gets a second, the more
//     important first: if there is not enough for that, the least important are
//     paused.
//   - What is left goes to those of the highest priority, one layer at a time
//     and in turn, then to those of the next.
//   - A higher layer than the current one needs 8 % of its bitrate to spare, and
//     one that begins with a keyframe 25 %. A lower one is chosen at once; of an
//     encoding of simulcast, any but the least needs 25 % to spare then.
//
// It reads Demand and writes chosen only, and does not allocate.
func Allocate(estimate, reserved Bitrate, demands []Demand, chosen []int) Allocation {
	a := Allocation{Used: reserved, Wanted: reserved}
	for i := range demands {
		chosen[i] = Paused
		if top := demands[i].below(demands[i].Preferred); top != Paused {
			a.Wanted += demands[i].Layers[top]
		}
	}
	for i := range demands {
		if demands[i].Essential {
			a.raise(&demands[i], &chosen[i], ^Bitrate(0))
		}
	}
	for priority, ok := highestBelow(demands, 256); ok; priority, ok = highestBelow(demands, priority) {
		for i := range demands {
			if d := &demands[i]; int(d.Priority) == priority && chosen[i] == Paused {
				a.raise(d, &chosen[i], estimate)
			}
		}
	}
	for priority, ok := highestBelow(demands, 256); ok; priority, ok = highestBelow(demands, priority) {
		for raised := true; raised; {
			raised = false
			for i := range demands {
				if d := &demands[i]; int(d.Priority) == priority && chosen[i] != Paused {
					raised = a.raise(d, &chosen[i], estimate) || raised
				}
			}
		}
	}
	a.Next = a.next(demands, chosen)
	return a
}

// highestBelow returns the highest priority under a limit.
func highestBelow(demands []Demand, limit int) (priority int, ok bool) {
	priority = -1
	for i := range demands {
		if p := int(demands[i].Priority); p < limit && p > priority {
			priority = p
		}
	}
	return priority, priority >= 0
}

// raise gives d the next layer if the budget allows, and reports whether it
// does.
func (a *Allocation) raise(d *Demand, chosen *int, budget Bitrate) bool {
	layer := d.above(*chosen)
	if layer == Paused || a.after(d, *chosen, layer)+d.margin(layer) > budget {
		return false
	}
	a.Used = a.after(d, *chosen, layer)
	*chosen = layer
	return true
}

// after is what is used once d has layer in place of chosen. Measured bitrates
// may say that a higher layer takes less than a lower.
func (a *Allocation) after(d *Demand, chosen, layer int) Bitrate {
	used := a.Used + d.Layers[layer]
	if chosen != Paused {
		used -= d.Layers[chosen]
	}
	return used
}

// next returns what the cheapest of all possible raises takes.
func (a *Allocation) next(demands []Demand, chosen []int) (least Bitrate) {
	for i := range demands {
		d := &demands[i]
		layer := d.above(chosen[i])
		if layer == Paused {
			continue
		}
		if need := a.after(d, chosen[i], layer) + d.margin(layer); least == 0 || need < least {
			least = need
		}
	}
	return least
}

// above returns the next known layer above one, as far as it is preferred.
func (d *Demand) above(layer int) int {
	for layer++; layer < len(d.Layers) && layer <= d.Preferred; layer++ {
		if d.Layers[layer] > 0 {
			return layer
		}
	}
	return Paused
}

// below returns the highest known layer not above one.
func (d *Demand) below(layer int) int {
	for layer = min(layer, len(d.Layers)-1); layer >= 0; layer-- {
		if d.Layers[layer] > 0 {
			return layer
		}
	}
	return Paused
}

// margin is what has to be to spare for d to get layer. A smaller encoding begins
// with a keyframe as well, on a line that was just found too narrow, and fewer
// layers of the same one leave no room to repair what was lost there; but the least
// there is needs nothing more.
func (d *Demand) margin(layer int) Bitrate {
	encodings := d.Encoding > 0 && d.Current != Paused
	margin := 0.0
	switch {
	case encodings && (layer < d.Current || layer/d.Encoding > d.Current/d.Encoding) && layer != d.above(Paused):
		margin = switchMargin
	case layer > d.Current:
		margin = upMargin
	}
	return Bitrate(margin * float64(d.Layers[layer]))
}
