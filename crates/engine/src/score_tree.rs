//! The tokens of many score requests as one tree, cut into chains that are computed in one go.

use crate::score::ScoreRequest;

/// A place where a logit is read: after a token, for a continuation of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) request: usize,
    pub(crate) continuation: usize,
    pub(crate) target: Target,
}

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The logprob of the continuation's token of this number.
    Token { number: usize, id: u32 },
    /// That of any ending.
    Ending,
}

/// One token of the tree.
#[derive(Debug)]
struct Node {
    token: u32,
    parent: Option<usize>,
    children: Vec<usize>,
    reads: Vec<Read>,
    /// The request that pays for it: the first that has it.
    owner: usize,
    /// Part of its owner's prompt.
    in_prompt: bool,
    /// It, or something after it, is read.
    needed: bool,
}

/// One token of a chain, ready to be computed.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) token: u32,
    pub(crate) owner: usize,
    pub(crate) in_prompt: bool,
    pub(crate) reads: Vec<Read>,
}

/// Tokens that follow each other without a branch.
#[derive(Debug)]
pub(crate) struct Chain {
    /// Position of the first.
    pub(crate) start: usize,
    pub(crate) links: Vec<Link>,
    pub(crate) parent: Option<usize>,
    /// Chains that go on after the last token.
    pub(crate) children: Vec<usize>,
}

impl Chain {
    /// Position after the last token.
    pub(crate) fn end(&self) -> usize {
        self.start + self.links.len()
    }

    /// Position of the first token after which something is read: it is always computed.
    pub(crate) fn first_read(&self) -> usize {
        self.start + self.links.iter().position(|link| !link.reads.is_empty()).unwrap_or(self.links.len())
    }

    /// Whether it begins inside a prompt.
    pub(crate) fn is_prompt(&self) -> bool {
        self.links[0].in_prompt
    }
}

/// The tree of `requests`, of which only those in `wanted` count.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    roots: Vec<usize>,
}

impl Tree {
    /// Adds every request of `wanted`; their prompts must not be empty.
    pub(crate) fn new(requests: &[ScoreRequest], wanted: &[usize]) -> Self {
        let mut tree = Self::default();
        for &index in wanted {
            tree.add(index, &requests[index]);
        }
        tree
    }

    fn add(&mut self, index: usize, request: &ScoreRequest) {
        let mut end = None;
        for &token in &request.prompt {
            end = Some(self.child(end, token, index, true));
        }
        let prompt_end = end.expect("a checked request has a prompt");
        for (continuation, tokens) in request.continuations.iter().enumerate() {
            let mut at = prompt_end;
            for (number, &token) in tokens.iter().enumerate() {
                let target = Target::Token { number, id: token };
                self.read(at, Read { request: index, continuation, target });
                // The last token itself is computed only for what comes after it.
                if number + 1 < tokens.len() || !request.endings.is_empty() {
                    at = self.child(Some(at), token, index, false);
                }
            }
            if !request.endings.is_empty() {
                self.read(at, Read { request: index, continuation, target: Target::Ending });
            }
        }
    }

    fn child(&mut self, parent: Option<usize>, token: u32, owner: usize, in_prompt: bool) -> usize {
        let siblings = match parent {
            Some(parent) => &self.nodes[parent].children,
            None => &self.roots,
        };
        if let Some(&known) = siblings.iter().find(|&&node| self.nodes[node].token == token) {
            return known;
        }
        let node = self.nodes.len();
        let (children, reads) = (Vec::new(), Vec::new());
        self.nodes.push(Node { token, parent, children, reads, owner, in_prompt, needed: false });
        match parent {
            Some(parent) => self.nodes[parent].children.push(node),
            None => self.roots.push(node),
        }
        node
    }

    fn read(&mut self, node: usize, read: Read) {
        self.nodes[node].reads.push(read);
        let mut at = Some(node);
        while let Some(node) = at.filter(|&node| !self.nodes[node].needed) {
            self.nodes[node].needed = true;
            at = self.nodes[node].parent;
        }
    }

    fn needed(&self, nodes: &[usize]) -> Vec<usize> {
        nodes.iter().copied().filter(|&node| self.nodes[node].needed).collect()
    }

    /// The chains, parents before their children.
    pub(crate) fn into_chains(mut self) -> Vec<Chain> {
        let mut chains: Vec<Chain> = Vec::new();
        // First token, its position and the chain before it.
        let mut open: Vec<(usize, usize, Option<usize>)> =
            self.needed(&self.roots).into_iter().rev().map(|root| (root, 0, None)).collect();
        while let Some((first, start, parent)) = open.pop() {
            let mut links = Vec::new();
            let mut next = vec![first];
            while let [node] = next[..] {
                let Node { token, owner, in_prompt, .. } = self.nodes[node];
                let reads = std::mem::take(&mut self.nodes[node].reads);
                links.push(Link { token, owner, in_prompt, reads });
                next = self.needed(&self.nodes[node].children);
            }
            let number = chains.len();
            if let Some(parent) = parent {
                chains[parent].children.push(number);
            }
            let end = start + links.len();
            open.extend(next.into_iter().rev().map(|node| (node, end, Some(number))));
            chains.push(Chain { start, links, parent, children: Vec::new() });
        }
        chains
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(prompt: &[u32], continuations: &[&[u32]], endings: &[u32]) -> ScoreRequest {
        ScoreRequest {
            prompt: prompt.to_vec(),
            continuations: continuations.iter().map(|tokens| tokens.to_vec()).collect(),
            endings: endings.to_vec(),
        }
    }

    fn spelled(chains: &[Chain]) -> Vec<(usize, Vec<u32>)> {
        chains.iter().map(|chain| (chain.start, chain.links.iter().map(|link| link.token).collect())).collect()
    }

    #[test]
    fn what_is_shared_stands_once_and_last_tokens_are_not_computed() {
        let requests =
            [request(&[1, 2, 3], &[&[10, 11], &[10, 12], &[13]], &[]), request(&[1, 2, 4], &[&[10, 11], &[20]], &[])];
        let chains = Tree::new(&requests, &[0, 1]).into_chains();
        assert_eq!(spelled(&chains), [(0, vec![1, 2]), (2, vec![3, 10]), (2, vec![4, 10])]);
        let after_prompt = &chains[1].links[0];
        assert!(after_prompt.in_prompt && !chains[1].links[1].in_prompt);
        assert_eq!(after_prompt.reads.len(), 3, "one for each continuation");
        assert_eq!(chains[1].links[1].reads.len(), 2, "11 and 12 after 10");
        assert_eq!((chains[1].first_read(), chains[0].first_read()), (2, 2));
    }

    #[test]
    fn an_ending_is_read_after_the_last_token() {
        let requests = [request(&[1], &[&[5], &[5, 6]], &[9])];
        let chains = Tree::new(&requests, &[0]).into_chains();
        assert_eq!(spelled(&chains), [(0, vec![1, 5, 6])]);
        let targets: Vec<Vec<Target>> =
            chains[0].links.iter().map(|link| link.reads.iter().map(|read| read.target).collect()).collect();
        let token = |number, id| Target::Token { number, id };
        assert_eq!(targets[0], [token(0, 5), token(0, 5)]);
        assert_eq!(targets[1], [Target::Ending, token(1, 6)]);
        assert_eq!(targets[2], [Target::Ending]);
    }

    #[test]
    fn a_request_that_does_not_count_leaves_no_token() {
        let requests = [request(&[1, 2], &[&[3]], &[]), request(&[7, 8], &[&[9]], &[])];
        assert_eq!(spelled(&Tree::new(&requests, &[1]).into_chains()), [(0, vec![7, 8])]);
        let nothing = [request(&[1, 2], &[], &[])];
        assert!(Tree::new(&nothing, &[0]).into_chains().is_empty(), "nothing is read, so nothing is computed");
    }
}
