//! Adds up how far the layers of a transfer have come.

use std::collections::HashMap;

use super::message::Message;

/// Progress of one layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layer {
    /// It is known and nothing more.
    Waiting,
    /// Its bytes are on their way.
    Moving { current: u64, total: Option<u64> },
    /// All its bytes are where they must be.
    Moved { bytes: u64 },
}

/// Progress of a transfer.
#[derive(Debug, Default)]
pub(super) struct Progress {
    layers: HashMap<String, Layer>,
}

impl Progress {
    /// Takes a line into account. Unpacking has a progress too, in bytes of something else or in seconds, so only
    /// the words for moving bytes count.
    pub(super) fn take(&mut self, message: &Message) {
        let (Some(id), Some(status)) = (&message.id, &message.status) else {
            return;
        };
        let known = self.layers.get(id).copied();
        let layer = match status.as_str() {
            "Pulling fs layer" | "Waiting" => Layer::Waiting,
            status if status.starts_with("Retrying in ") => Layer::Waiting,
            "Downloading" => moving(message),
            "Verifying Checksum" | "Download complete" | "Extracting" | "Pull complete" => {
                moved(known)
            }
            "Already exists" => Layer::Moved { bytes: 0 },
            _ => return,
        };
        self.layers.insert(id.clone(), layer);
    }

    /// Bytes done, and bytes to do once every layer's size is known.
    pub(super) fn bytes(&self) -> (u64, Option<u64>) {
        let mut done = 0;
        let mut all = Some(0);
        for layer in self.layers.values() {
            let (current, total) = match *layer {
                Layer::Waiting => (0, None),
                Layer::Moving { current, total } => (current, total),
                Layer::Moved { bytes } => (bytes, Some(bytes)),
            };
            done += current;
            all = all.zip(total).map(|(all, total)| all + total);
        }
        (done, all)
    }

    /// Returns true if all bytes are where they must be, as far as the layers that were told of go.
    pub(super) fn is_settled(&self) -> bool {
        let is_settled = |layer: &Layer| match layer {
            Layer::Waiting => false,
            Layer::Moving { current, total } => total.is_some_and(|total| *current >= total),
            Layer::Moved { .. } => true,
        };
        !self.layers.is_empty() && self.layers.values().all(is_settled)
    }
}

fn moving(message: &Message) -> Layer {
    let detail = message.progress.as_ref();
    let current = detail.and_then(|detail| detail.current).unwrap_or(0);
    // The engine counts the tar's bytes against the layer's size, so it may count beyond it.
    let total = detail.and_then(|detail| detail.total).filter(|t| *t > 0);
    Layer::Moving {
        current,
        total: total.map(|total| total.max(current)),
    }
}

fn moved(known: Option<Layer>) -> Layer {
    let bytes = match known {
        None | Some(Layer::Waiting) => 0,
        Some(Layer::Moving { current, total }) => total.unwrap_or(current),
        Some(Layer::Moved { bytes }) => bytes,
    };
    Layer::Moved { bytes }
}

#[cfg(test)]
mod tests {
    use super::Progress;
    use serde_json::json;

    fn progress(lines: &[(&str, &str, u64, u64)]) -> Progress {
        let mut progress = Progress::default();
        for (id, status, current, total) in lines {
            let line = json!({"id": id, "status": status, "progressDetail": {"current": current, "total": total}});
            progress.take(&serde_json::from_value(line).expect("a line"));
        }
        progress
    }

    #[test]
    fn the_total_is_known_once_every_layer_has_a_size() {
        let mut lines = vec![
            ("1.4", "Pulling from app/web", 0, 0),
            ("a", "Pulling fs layer", 0, 0),
            ("b", "Pulling fs layer", 0, 0),
            ("c", "Already exists", 0, 0),
            ("a", "Downloading", 30, 100),
        ];
        assert_eq!(progress(&lines).bytes(), (30, None));
        lines.push(("b", "Downloading", 1, 50));
        assert_eq!(progress(&lines).bytes(), (31, Some(150)));
        lines.push(("a", "Download complete", 0, 0));
        lines.push(("a", "Extracting", 9999, 100_000));
        assert_eq!(progress(&lines).bytes(), (101, Some(150)));
    }

    #[test]
    fn a_transfer_is_settled_when_no_layer_moves() {
        for (lines, expected) in [
            (vec![], false),
            (vec![("a", "Waiting", 0, 0)], false),
            (
                vec![
                    ("a", "Downloading", 9, 9),
                    ("a", "Retrying in 5 seconds", 0, 0),
                ],
                false,
            ),
            (vec![("a", "Downloading", 9, 10)], false),
            (vec![("a", "Extracting", 1, 10)], true),
            (vec![("a", "Downloading", 10, 10)], true),
            (vec![("a", "Already exists", 0, 0)], true),
            (
                vec![("a", "Pull complete", 0, 0), ("b", "Waiting", 0, 0)],
                false,
            ),
        ] {
            assert_eq!(progress(&lines).is_settled(), expected, "{lines:?}");
        }
    }
}
